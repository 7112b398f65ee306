package configs

import (
	"embed"
	"io/fs"
)

//go:embed deskhand.yaml
var example string

//go:embed all:sample
var sample embed.FS

// Example is a deskhand.yaml with every common setting and what it means.
func Example() string { return example }

// Sample is a configuration repository to look at and to try things on: its
// root holds the folder desktops.
func Sample() fs.FS {
	root, err := fs.Sub(sample, "sample")
	if err != nil {
		panic("configs: the embedded sample is gone: " + err.Error()) // the path is fixed at build time
	}
	return root
}
