"""How much synthetic text a language may get, and which natural documents it is made from."""
