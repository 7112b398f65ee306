package policy

func contrastRules() []Rule { return nil }
