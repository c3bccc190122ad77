"""The public face, `import steadyhand as sh`: thin functions over the modules that the command line uses too."""
