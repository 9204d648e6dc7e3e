"""What runs inside a provisioning room. Standard library only but for what the room was given."""
