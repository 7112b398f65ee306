package policy

func tierRules() []Rule { return nil }
