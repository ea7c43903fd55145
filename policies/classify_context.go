package policies

import (
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// byComment hears what the database's own comment on the column says: it may find
// what the name does not tell, and it does not acquit.
func (g *guesser) byComment(c *catalog.Column, v *reading, names []word, found guess) guess {
	if c.Comment == "" || found.score >= 0.6 || c.Type.Kind == catalog.Bool || temporal(c.Type) {
		return found
	}
	about := readName(tokens(firstSentence(c.Comment)), v.language)
	for i := range about {
		about[i].plain = singular(about[i].plain)
	}
	// What is of a thing, or counts, or tells a time, is none of a person's.
	if len(about) == 0 || len(about) > 14 || heads[about[0].plain] || v.thing && !v.contact && !v.person {
		return found
	}
	for i := range about {
		if about[i].plain == "of" && i+1 < len(about) && (placesOfThings[singular(about[i+1].plain)] || referenceNouns[singular(about[i+1].plain)]) {
			return found
		}
	}
	class, best := "", word{}
	for n := min(len(about), 6); n > 0 && class == ""; n-- {
		class, best = nameClass(about[:n])
	}
	if class == "" && c.Type.Kind == catalog.Text && len(c.Type.Labels) == 0 && len(about) <= 5 && personNouns[singular(lastWord(about))] && has(about, "name") {
		class, best = "person_name", about[0]
	}
	if class == "" || class == "pincode" || unlikely(class, c) || class == freeText && c.Type.Length > 0 && c.Type.Length < 40 {
		return found
	}
	return of(class, 0.7, "its comment holds %s", best)
}

// firstSentence cuts a comment after its first sentence.
func firstSentence(s string) string {
	if i := strings.IndexAny(s, ".;\n"); i > 0 {
		return s[:i]
	}
	return s
}

// sensitiveLabels are sets of labels of which two say what an enum is about.
var sensitiveLabels = []struct {
	about  string
	labels map[string]bool
}{
	{"sex", words(`male female m f w d man woman men women nonbinary diverse mannlich weiblich homme femme hombre mujer maschio femmina masculino femenino feminino erkek kadin kobieta mezczyzna`)},
	{"marital status", words(`single married divorced widowed separated engaged ledig verheiratet geschieden verwitwet celibataire marie divorce veuf soltero casado divorciado viudo`)},
	{"religion", words(`christian muslim jewish hindu buddhist catholic protestant evangelical orthodox atheist`)},
	{"ethnic group", words(`white black asian hispanic latino caucasian african roma`)},
	{"health", words(`positive negative diabetes asthma hypertension cancer hiv pregnant vaccinated unvaccinated`)},
}

// byLabels looks at the labels of an enum: what they say together is no value of anybody's.
func byLabels(c *catalog.Column, found guess) guess {
	if len(c.Type.Labels) < 2 || found.score >= doubtful {
		return found
	}
	for _, s := range sensitiveLabels {
		n := 0
		for _, l := range c.Type.Labels {
			if s.labels[fold(strings.ToLower(l))] {
				n++
			}
		}
		if n >= 2 && n*2 >= len(c.Type.Labels) {
			return of("special", 0.75, "its labels are words for %s", s.about)
		}
	}
	return found
}
