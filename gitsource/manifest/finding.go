package manifest

import (
	"fmt"

	"github.com/deskhand/deskhand"
)

// finding is an error at a place; all that is wrong with the reading of a file is one.
func finding(rule string, at deskhand.Position, message, hint string) deskhand.Finding {
	return deskhand.Finding{
		Rule:     rule,
		Severity: deskhand.SeverityError,
		File:     at.File,
		Line:     at.Line,
		Column:   at.Column,
		Message:  message,
		Hint:     hint,
	}
}

// fileFinding is an error about a file as a whole.
func fileFinding(rule, file, message, hint string) deskhand.Finding {
	return finding(rule, deskhand.Position{File: file}, message, hint)
}

func symlinkFinding(file string) deskhand.Finding {
	return fileFinding("file/symlink", file, "this is a symbolic link, and links are not followed",
		"put the file itself here, or share values through extends")
}

func tooLargeFinding(file string, limit int) deskhand.Finding {
	return fileFinding("file/size", file, fmt.Sprintf("the file is larger than %d bytes", limit),
		"a definition is a few kilobytes; remove what does not belong here")
}
