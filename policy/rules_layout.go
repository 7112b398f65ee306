package policy

func layoutRules() []Rule { return nil }
