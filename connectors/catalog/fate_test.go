package catalog_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func fated() *catalog.Catalog {
	return catalog.New("postgres", "17", "public", nil, []catalog.Object{
		{Kind: "view", Name: "public.v", Fate: catalog.Stays, Reason: "needs extension dblink, which stays behind", Causes: []string{"extension:dblink", "foreign table:public.f"}},
		{Kind: "view", Name: "public.w", Fate: catalog.Stays, Reason: "needs extension dblink, which stays behind", Causes: []string{"extension:dblink"}},
		{Kind: "view", Name: "public.x", Fate: catalog.Stays, Reason: "needs view public.w, which stays behind", Causes: []string{"view:public.w"}},
		{Kind: "extension", Name: "dblink", Fate: catalog.Stays, Reason: "would connect to another server"},
		{Kind: "foreign table", Name: "public.f", Fate: catalog.Stays, Reason: "has its rows on another server", Fixed: true},
		{Kind: "function", Name: "public.g()", Fate: catalog.Neutralised, Reason: "would connect to another server", Definition: "the words"},
		{Kind: "grants", Name: "3", Fate: catalog.Stays, Reason: "are for others"},
		{Kind: "sequence", Name: "public.s"},
	})
}

// What somebody keeps comes, what stayed for its sake alone comes too, and a file of the
// catalog says the same.
func TestKeep(t *testing.T) {
	c := fated()
	var file bytes.Buffer
	if err := c.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := catalog.Read(bytes.NewReader(file.Bytes()))
	if err != nil || !reflect.DeepEqual(read.Objects, c.Objects) {
		t.Fatalf("%v, %+v", err, read)
	}
	for _, from := range []*catalog.Catalog{c, read} {
		kept, err := from.Keep([]string{"extension:dblink", "FUNCTION:g()", "grants"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range kept.Fates() {
			if o.Definition != "" {
				t.Error("the words of an object are told")
			}
			got = append(got, string(o.Fate)+" "+o.Kind+" "+o.Name)
		}
		want := []string{"noted extension dblink", "left behind foreign table public.f", "noted function public.g()", "noted grants 3", "left behind view public.v"}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if !reflect.DeepEqual(from.Objects, fated().Objects) {
			t.Error("the catalog itself has changed")
		}
	}
	if kept, err := catalog.New("postgres", "17", "public", nil, nil).Keep([]string{"grants"}); err != nil || kept == nil {
		t.Errorf("grants where there are none: %v", err)
	}
	for name, words := range map[string]string{
		"foreign table:f": "never comes along: it has its rows on another server",
		"view:public.v":   "what it needs never comes along",
		"view:x":          "--keep-object 'view:public.w'",
		"sequence:s":      "comes along as it is",
		"view:public.y":   "there are 'view:public.v', 'view:public.w', 'view:public.x'",
		"dblink":          "there is no such object",
		"":                "write KIND:NAME",
	} {
		_, err := c.Keep([]string{name})
		var ke *catalog.KeepError
		if !errors.As(err, &ke) || !strings.Contains(ke.Error()+"; "+ke.Hint(), words) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for range 20 {
		_, err := c.Keep([]string{"view:x", "view:w", "view:v"})
		var ke *catalog.KeepError
		if !errors.As(err, &ke) || ke.Name != "view:v" {
			t.Fatalf("of three that cannot come, the first one in the catalog's order is said: %v", err)
		}
	}
	if _, err := catalog.Read(strings.NewReader(strings.Replace(file.String(), `"neutralised"`, `"buried"`, 1))); err == nil || !strings.Contains(err.Error(), "there is no fate") {
		t.Errorf("a fate that there is not: %v", err)
	}
}

// What is noted, or stops a run, for another's sake comes along with it; of what is noted
// for a reason of its own as well, that reason remains.
func TestKeepWhatIsNoted(t *testing.T) {
	calls := []string{"function:public.g()"}
	c := catalog.New("postgres", "17", "public", nil, []catalog.Object{
		{Kind: "function", Name: "public.f()", Fate: catalog.Noted, Reason: "runs with rights; and calls function public.g()", Still: "runs with rights", Causes: calls},
		{Kind: "function", Name: "public.g()", Fate: catalog.Neutralised, Reason: "would connect to another server"},
		{Kind: "view", Name: "public.v", Fate: catalog.Noted, Reason: "calls function public.g()", Causes: calls},
		{Kind: "column", Name: "public.t.c", Fate: catalog.Stops, Reason: "is computed by function public.g()", Causes: calls},
	})
	if _, err := c.Keep([]string{"column:t.c"}); err == nil || !strings.Contains(err.Error(), "it is computed by") {
		t.Errorf("a column that stops a run is kept by name: %v", err)
	}
	kept, err := c.Keep([]string{"function:g()"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range kept.Fates() {
		got = append(got, o.Name+" "+o.Reason)
	}
	if want := []string{"public.f() runs with rights", "public.g() is kept by name; it would connect to another server"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
