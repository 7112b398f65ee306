package policy

func bannerRules() []Rule { return nil }
