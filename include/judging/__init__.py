"""How good a version is by the evidence of this run; the verdict; who is champion and what holds a promotion back."""
