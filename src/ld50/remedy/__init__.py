"""What cures a model, or keeps it from being hurt: filters, clean tuning, repairs of weights."""
