"""Studies: models trained at many doses, sizes and seeds, and the dose-response fitted to them."""
