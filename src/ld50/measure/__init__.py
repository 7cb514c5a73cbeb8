"""What a trained model does: backdoor success, clean quality, language, each with its interval."""
