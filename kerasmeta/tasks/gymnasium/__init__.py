"""Any registered Gymnasium environment as something an agent can be trained on."""
