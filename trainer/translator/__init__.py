"""A small translator from one's own parallel text: vocabulary, Marian model, training, scores, baselines.

``trainer.translator.fit.fit`` is the way in; nothing is imported here, so that recipes load without torch.
"""
