"""The public interface, `import steadyhand as sh`: thin functions over the modules of the command line."""
