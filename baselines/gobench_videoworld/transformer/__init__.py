"""A Llama over prompts, codes and frames.

===============  ==========================================================================================
``dynamics``     the sequence, its loss, and how answers are drawn from it
``aligned``      inputs and heads of the default form          ``plain``   of the paper's
``llama``        the backbone and its cache                    ``fused``   one layer of it, written out for CPUs
``generate``     decoding: plain, and from a draft
``huggingface``  a model as transformers opens it
``flops``        what a model costs, and what a device can do  ``cpu``     what makes float32 fast on a CPU
===============  ==========================================================================================
"""
