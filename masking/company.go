package masking

import (
	"bytes"
	"strings"
	"sync"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// companyVariants is {fake: company}: the name of a company that is put together of
// a stem and a legal form, both of the dictionary and drawn apart. What is one word
// without a legal form stays one; so does what no form fits beside.
var companyVariants = []fakeVariant{
	choiceVariant("company", func() chooser { return companies() },
		[]Sample{{Column: Column{Kind: Text}, Values: []string{"Miller & Sons Ltd", "MILLER", "ООО «Ромашка»"}}}, "company", "form"),
}

// companyChooser makes names of companies.
type companyChooser struct {
	stems *phrasePools
	forms [pools][]companyForm
}

// companyForm is what stands before and behind a stem, by nameStyle.
type companyForm struct{ before, behind phrase }

var companies = sync.OnceValue(func() *companyChooser {
	c := &companyChooser{stems: newPhrasePools(dictionary.CompanyStems)}
	s := getScratch()
	defer s.free()
	for script := dictionary.Latin; script <= dictionary.Hangul; script++ {
		for _, form := range dictionary.CompanyForms(script) {
			before, behind, _ := strings.Cut(form, "{name}")
			f := companyForm{}
			var a, b bool
			f.before, a = newPhrase(s, before)
			f.behind, b = newPhrase(s, behind)
			if !a || !b {
				continue
			}
			if script != dictionary.Latin {
				c.forms[poolOf(script)] = append(c.forms[poolOf(script)], f)
				continue
			}
			tier := poolASCII
			for _, r := range form {
				tier = max(tier, latinPool(r))
			}
			for ; tier <= poolLatin; tier++ {
				c.forms[tier] = append(c.forms[tier], f)
			}
		}
	}
	return c
})

func (t *companyChooser) append(dst []byte, c *chosen) []byte {
	stems, forms := t.stems[c.pool], t.forms[c.pool]
	if bytes.IndexByte(c.own, ' ') >= 0 || c.pool == poolHan || c.pool == poolKana || c.pool == poolHangul {
		f := &forms[below32(c.draw[1], len(forms))]
		left := limits{c.limit.chars - f.before.chars - f.behind.chars, c.limit.bytes - f.before.bytes - f.behind.bytes}
		if p := c.choose(stems, c.draw[0], left); p != nil {
			dst = append(dst, f.before.text[c.style]...)
			dst = append(dst, p.text[c.style]...)
			return append(dst, f.behind.text[c.style]...)
		}
	}
	if p := c.choose(stems, c.draw[0], c.limit); p != nil {
		return append(dst, p.text[c.style]...)
	}
	return c.cutPhrase(dst, stems, c.draw[2])
}
