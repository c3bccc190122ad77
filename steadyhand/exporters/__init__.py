"""Export of metrics to the tools where labs look at them: TensorBoard, Weights & Biases, trackio, or a component."""
