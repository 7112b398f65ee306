package policy

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"

	"github.com/deskhand/deskhand"
)

// The bounds of an expression. A cost unit is about one comparison; a desktop
// of ordinary size stays far below.
const (
	maxExpressionCost = 100_000
	maxExpressionSize = 4096 // code points
	interruptEvery    = 100  // iterations of a comprehension
)

// ownRuleText is a repository's own rule as policy.yaml writes it.
type ownRuleText struct {
	ID         string            `json:"id"`
	Severity   deskhand.Severity `json:"severity"`
	Weight     int               `json:"weight"`
	Message    string            `json:"message"`
	Hint       string            `json:"hint"`
	At         deskhand.Pointer  `json:"at"`
	Expression string            `json:"expression"`
}

// ownRule is one that holds.
type ownRule struct {
	Rule
	text    ownRuleText
	program cel.Program
}

// expressionCompiler compiles CEL over one variable, desktop, whose type is view: a key
// that no definition has is an error when the policy is read.
type expressionCompiler struct {
	environment *cel.Env
}

func newExpressionCompiler() (*expressionCompiler, error) {
	viewType := reflect.TypeFor[view]()
	environment, err := cel.NewEnv(
		ext.NativeTypes(ext.ParseStructTag("json"), viewType),
		ext.Strings(),
		cel.Variable("desktop", cel.ObjectType(viewType.String())),
		cel.ParserExpressionSizeLimit(maxExpressionSize),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare CEL: %w", err)
	}
	return &expressionCompiler{environment: environment}, nil
}

func (c *expressionCompiler) compile(text string) (cel.Program, error) {
	checked, issues := c.environment.Compile(text)
	if issues.Err() != nil {
		var messages []string
		for _, issue := range issues.Errors() {
			messages = append(messages, fmt.Sprintf("%s (line %d, column %d of the expression)",
				strings.ReplaceAll(issue.Message, "policy.view", "desktop"), issue.Location.Line(), issue.Location.Column()+1))
		}
		return nil, errors.New(strings.Join(messages, "; "))
	}
	if checked.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("the expression gives %s, where a rule needs true or false", checked.OutputType())
	}
	program, err := c.environment.Program(checked,
		cel.CostLimit(maxExpressionCost), cel.InterruptCheckFrequency(interruptEvery))
	if err != nil {
		return nil, fmt.Errorf("prepare the expression: %w", err)
	}
	return program, nil
}

// ownRules compiles all rules of a policy file.
func (r policyReader) ownRules(texts []ownRuleText) ([]ownRule, []fault) {
	var own []ownRule
	var faults []fault
	for i, text := range texts {
		at := deskhand.Pointer("/rules").Index(i)
		_, builtIn := r.rules[text.ID]
		if builtIn || slices.ContainsFunc(own, func(other ownRule) bool { return other.ID == text.ID }) {
			faults = append(faults, fault{at: at.Child("id"), message: fmt.Sprintf("there already is a rule %q", text.ID), hint: "choose another id"})
		}
		program, err := r.compiler.compile(text.Expression)
		if err != nil {
			faults = append(faults, fault{
				at: at.Child("expression"), message: "the expression does not compile: " + err.Error(),
				hint: "desktop has the keys of a definition, and file and tier",
			})
		}
		if text.Severity == "" {
			text.Severity = deskhand.SeverityWarning
		}
		own = append(own, ownRule{
			Rule: Rule{ID: text.ID, Severity: text.Severity, Weight: text.Weight}, text: text, program: program,
		})
	}
	return own, faults
}

// check evaluates the rule; the error is about the expression, not the desktop.
func (o ownRule) check(ctx context.Context, seen view) ([]fault, error) {
	result, _, err := o.program.ContextEval(ctx, map[string]any{"desktop": seen})
	if err != nil {
		return nil, err
	}
	if holds, isBool := result.Value().(bool); isBool && holds {
		return nil, nil
	}
	return []fault{{at: o.text.At, message: o.text.Message, hint: o.text.Hint}}, nil
}
