"""Where languages pull the shared core in different directions: measured cheaply, shown, and optionally acted on.

``groups`` says which languages are looked at together, ``sketch`` measures the gradients of all groups in one backward
pass, ``matrix`` keeps the running mean of their cosines; ``surgery`` and ``held`` project the groups' gradients before
they are added up. Importing this package loads no torch.
"""
