"""Keys, certificates, tokens: who may speak to whom."""
