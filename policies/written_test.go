package policies

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking"
)

// longFunction is a catalog whose trigger has a function of n statements.
func longFunction(n int) string {
	var b strings.Builder
	b.WriteString("schema public\ntable src\nid int4\nemail text\nname text\nkind int4\ntrigger t AFTER INSERT ON public.src FOR EACH ROW EXECUTE FUNCTION public.f()\n" +
		"table other\nid int4\nname text\ntable hist\na text\nb text\nc int4\nfunction public.f() begin ")
	for i := range n {
		fmt.Fprintf(&b, "if new.kind = %d then insert into hist(a,b,c) select new.email, x.n, %d from (select name as n, id from other where id = new.id and (id in (select id from other where id>%d))) x;"+
			" update hist set b = (select name from other where id=%d), c = c+1 where c = %d; merge into hist using other o on true when not matched then insert (a, b) values (new.email, v%d); v%d := new.name; end if; ", i, i, i, i, i, i, i)
	}
	b.WriteString("end\n")
	return b.String()
}

// allocated is how many bytes work allocates.
func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Code of twice the length takes twice the work to read, and not four times.
func TestLongFunctions(t *testing.T) {
	work := func(n int) uint64 {
		c := parseCatalog(t, longFunction(n))
		p, err := Parse("p.yaml", []byte(`version: 1
keys: {k: {from: ephemeral}}
classes:
  mail: {kind: direct, do: {fake: email}}
tables:
  src: {columns: {email: mail, name: mail}, keep: [id, kind]}
  other: {columns: {name: mail}, keep: [id]}
  hist: {keep: [a, b, c]}
`))
		if err != nil {
			t.Fatal(err)
		}
		return allocated(func() {
			compiled, err := Compile(p, c, testKey(t), masking.Standard())
			if err != nil {
				t.Fatal(err)
			}
			if said := strings.Join(compiled.Warnings, "\n"); !strings.Contains(said, "public.hist.a: is kept, and the trigger t writes rows of public.src there, which are masked: email") {
				t.Fatal(said)
			}
		})
	}
	if once, twice := work(200), work(400); twice > 3*once {
		t.Errorf("%d bytes are allocated for a function, and %d for one of twice the length", once, twice)
	}
}
