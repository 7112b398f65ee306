package ledger

import (
	"bytes"
	"context"
	"fmt"

	"github.com/gowebpki/jcs"
	"github.com/oklog/ulid/v2"
)

// Verification is what Verify found.
type Verification struct {
	Records int `json:"records"`
	// Heads are the hashes of the records that no other one continues: one, or more
	// where there are forks. The newest is the Record-Head of the branch's tip.
	Heads []string `json:"heads"`
	// Forks are records that continue one that another record continues too: two
	// deskhands wrote at the same time, or one began without the branch. Nothing is
	// lost or altered by that.
	Forks []Problem `json:"forks"`
	// Problems are signs that records were altered, lost or made up.
	Problems []Problem `json:"problems"`
}

// OK reports whether nothing was altered, lost or made up.
func (v Verification) OK() bool { return len(v.Problems) == 0 }

// Problem is something wrong with one file of the branch.
type Problem struct {
	Path    string `json:"path"`
	Line    int    `json:"line"` // from 1; 0 where the whole file is meant
	Record  string `json:"record"`
	Message string `json:"message"`
}

// String prints path:line: message, and the record's id where there is one.
func (p Problem) String() string {
	text := p.Path
	if p.Line > 0 {
		text += fmt.Sprintf(":%d", p.Line)
	}
	text += ": " + p.Message
	if p.Record != "" {
		text += " (record " + p.Record + ")"
	}
	return text
}

// Verify checks that every record on the branch is in the form that was hashed,
// that each continues one that is there, and that each desktop's state names a
// record that is there. An error means that the branch could not be read.
func Verify(ctx context.Context, branch Branch) (Verification, error) {
	v := verifier{ends: newChainEnds(), ids: make(map[string]bool)}
	if err := visitLines(ctx, branch, folderRecords, v.check); err != nil {
		return Verification{}, fmt.Errorf("verify the audit records: %w", err)
	}
	v.checkChain()
	if err := branch.Read(ctx, folderState, v.checkState); err != nil {
		return Verification{}, fmt.Errorf("verify the audit records: %w", err)
	}
	v.result.Heads = v.ends.heads()
	return v.result, nil
}

type verifier struct {
	result Verification
	ends   *chainEnds
	ids    map[string]bool
	links  []link
}

// link is what the chain needs of a record.
type link struct {
	Problem // where the record stands, for what may be wrong with it
	prev    string
}

func (v *verifier) check(line recordLine) error {
	place := Problem{Path: line.path, Line: line.number}
	canonical, err := jcs.Transform(line.text)
	if err == nil {
		err = decode(line.text, &line.record)
	}
	if err != nil {
		v.problem(place, "it is no record: "+err.Error())
		return nil
	}
	v.result.Records++
	record := line.record
	place.Record = record.ID
	if !bytes.Equal(canonical, line.text) {
		v.problem(place, "it is not in RFC 8785 form, so somebody wrote it by hand")
	}
	if _, err := ulid.ParseStrict(record.ID); err != nil {
		v.problem(place, fmt.Sprintf("its id %q is no ULID", record.ID))
	}
	if v.ids[record.ID] {
		v.problem(place, "its id is there twice")
	}
	v.ids[record.ID] = true
	v.links = append(v.links, link{Problem: place, prev: record.Prev})
	return v.ends.add(line)
}

// checkChain looks at each record's link to the one before it.
func (v *verifier) checkChain() {
	continuedBy := make(map[string]string, len(v.links))
	for _, link := range v.links {
		if _, found := v.ends.order[link.prev]; !found && link.prev != "" {
			v.problem(link.Problem, "the record before it, "+link.prev+", is missing or was altered")
			continue
		}
		other, taken := continuedBy[link.prev]
		if !taken {
			continuedBy[link.prev] = link.Record
			continue
		}
		fork := link.Problem
		fork.Message = "it continues the same record as " + other + " does"
		if link.prev == "" {
			fork.Message = "it begins a chain of its own, as " + other + " does"
		}
		v.result.Forks = append(v.result.Forks, fork)
	}
}

func (v *verifier) checkState(path string, content []byte) error {
	var state desktopState
	if err := decode(content, &state); err != nil {
		v.problem(Problem{Path: path}, "it is no state: "+err.Error())
		return nil
	}
	if _, found := v.ends.order[state.RecordHash]; !found {
		v.problem(Problem{Path: path, Record: state.Record}, "the record that it names is missing or was altered")
	}
	return nil
}

func (v *verifier) problem(place Problem, message string) {
	place.Message = message
	v.result.Problems = append(v.result.Problems, place)
}
