package check

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// bitten are the rules that a test has seen broken.
var bitten [ruleCount]bool

// No rule is without a test that breaks it.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	all := code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == ""
	for r := range Rules() {
		if all && !bitten[r] {
			fmt.Printf("no test breaks the rule %v\n", Rule(r))
			code = 1
		}
	}
	os.Exit(code)
}

func TestRules(t *testing.T) {
	names := map[string]bool{}
	for _, r := range Rules() {
		require.Regexp(t, regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`), r.Name(), "rule %d", r)
		require.False(t, names[r.Name()], "%s stands twice", r.Name())
		names[r.Name()] = true
		require.NotEmpty(t, r.Section(), r.Name())
		require.Regexp(t, `[^. ]$`, r.Says(), r.Name())
		require.Equal(t, r.Name()+" ("+r.Section()+")", r.String())
	}
	require.Equal(t, []string{"must", "should", "house"}, []string{Must.String(), Should.String(), House.String()})
}
