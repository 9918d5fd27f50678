package verify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/weatheractors/weatheractors/"

// What the witness may share with those that it testifies about: the generated
// code of the wire form, and the names of two errors.
var shared = []string{"messages.Report", "messages.ErrTopicMissing", "messages.ErrPartitionMissing"}

func TestWitnessSharesNothing(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(path, module) && (path != module+"messages" || i.Name != nil) {
				t.Errorf("%s imports %s", f.Name(), path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := selector.X.(*ast.Ident); ok && x.Name == "messages" {
				if name := x.Name + "." + selector.Sel.Name; !slices.Contains(shared, name) {
					t.Errorf("%s uses %s", f.Name(), name)
				}
			}
			return true
		})
	}
}
