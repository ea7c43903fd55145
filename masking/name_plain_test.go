package masking

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Names that are read as words of memory have the masks that parse and choose make.
func TestPlainNamesAgreeWithParsedNames(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	pieces := strings.Split("a|B|An|na|ANNA|smith|Smith|SMITH|O'Neil|O'N|-|.|J.|j|1|12| | |  |,|;|\t|\x01|\x7f|é|Ж|longer than it|Christopherson", "|")
	names := namePools()
	for _, l := range []nameList{names[poolASCII].given, names[poolASCII].family} {
		for range 40 {
			name := l.names[rnd.IntN(len(l.names))]
			pieces = append(pieces, name, strings.ToUpper(name), strings.ToLower(name), name)
		}
	}
	var in []any
	for range 20_000 / fewer {
		var v strings.Builder
		for range 1 + rnd.IntN(4) {
			v.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		in = append(in, v.String())
	}
	for _, list := range names[poolASCII].given.names { // each name may be chosen for itself
		in = append(in, list, list+" "+list)
	}
	for _, variant := range []string{"first_name", "last_name", "person_name"} {
		for _, script := range []string{"keep", "latin", "cyrillic", "han", "kana"} {
			for _, col := range []Column{{}, {MaxChars: 7}, {MaxBytes: 15}, {Charset: Latin1, Equality: FoldASCII}, {Equality: FoldCase | PadSpace}, {Equality: FoldCase | FoldAccents}} {
				if col.Charset == Latin1 && script != "keep" {
					continue
				}
				col.Kind = Text
				c := &lawCase{spec: fakeOf(variant, "script", script), col: col}
				tr := c.bind(t, fixedKey(t), "d").Transform.(*nameTransform)
				t.Run(fmt.Sprint(variant, script, col.MaxChars, col.MaxBytes, col.Equality), func(t *testing.T) { tr.agrees(t, in) })
			}
		}
	}
}

func (t *nameTransform) agrees(tt *testing.T, in []any) {
	tt.Helper()
	got := applyTextual(tt, t, in...)
	s, ns := getScratch(), &nameScratch{folds: t.equality.folds()}
	defer s.free()
	plain := 0
	for i, v := range in {
		v := []byte(v.(string))
		if blank(v) {
			continue
		}
		s.msg[0] = v
		if lists := t.plainLists(); t.readPlain(s, 0, &lists) {
			plain++
		}
		s.msg[0] = ns.appendCanonical(nil, v)
		t.prf.sumsUnder(s, 1, t.equality)
		s.chain[0] = s.block[0]
		s.chain[0][0] ^= 1
		encrypt(t.stream, s.chain[:1])
		ns.parse(v, t)
		t.choose(ns, &s.block[0], &s.chain[0])
		if got[i] != string(ns.out) {
			tt.Fatalf("%q became %q, and %q in the long way", v, got[i], ns.out)
		}
	}
	if lists := t.plainLists(); lists[0] != nil && plain < len(in)/10 {
		tt.Errorf("%d of %d names are plain", plain, len(in))
	}
}
