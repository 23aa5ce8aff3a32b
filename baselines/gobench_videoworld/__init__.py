"""VideoWorld (arXiv 2501.09781): a frame tokenizer, a latent dynamics model and a transformer, trained on video alone.

    frames --tokenizer--> tokens --latent--> codes of what changes      history tokens --transformer--> codes, next tokens
                                                                        next tokens --tokenizer--> the next frame

``config`` has every size and choice as a table; ``tokenizer``, ``latent`` and ``transformer`` hold the networks; ``data`` turns
a built dataset into tokens and windows; ``train`` fits the three stages and writes ``model.pt``; ``model`` is what
``gobench evaluate`` asks; ``analysis`` draws the paper's plots and tables.
"""
