package policy

func browserRules() []Rule { return nil }
