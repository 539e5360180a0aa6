"""Which learning systems choose: model-free or model-based, incremental or episodic."""
