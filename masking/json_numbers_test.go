package masking

import (
	"testing"
)

// The transforms of numbers and days work inside documents and containers, and what
// they make is of the kind that it was.
func TestNumbersAndDaysInside(t *testing.T) {
	bucket := Spec{Name: "bucket", Variant: int64(100), Domain: "d"}
	month := Spec{Name: "truncate_to", Variant: "month", Domain: "d"}
	for _, c := range []struct {
		name     string
		col      Column
		spec     Spec
		in, want string
	}{
		{"json", Column{Kind: JSON}, paths("$.n[*]", bucket, "$.d[*]", month, "*", pathDrop), `{"n": [219.90, 250, 1e3, "312.50"], "d": ["2024-02-29", "2024-02-29T10:00:00.500Z", "soon"]}`,
			`{"n": [200.00, 200, 1000, "300.00"], "d": ["2024-02-01", "2024-02-01T00:00:00.000Z"]}`},
		{"xml", Column{Kind: XML}, xmlPaths("/a/n", bucket, "/a/@d", month, "*", pathDrop), `<a d="2024-02-29"><n>219.90</n></a>`, `<a d="2024-02-01"><n>200.00</n></a>`},
		{"array", Column{Kind: Array, Element: &Column{Kind: Numeric}}, eachOf(bucket), "{219.90,NULL,NaN}", "{200.00,NULL,NaN}"},
		{"range", Column{Kind: Range, Element: &Column{Kind: Date}}, eachOf(month), "[2024-02-10,2024-03-05)", "[2024-02-01,2024-03-01)"},
		{"range in a month", Column{Kind: Range, Element: &Column{Kind: Date}}, eachOf(month), "[2024-02-10,2024-02-12)", "[2024-02-01,2024-02-01]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := Standard().Bind(textKey, c.col, c.spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := applyTextual(t, b.Transform, c.in)[0]; got != c.want {
				t.Errorf("%s\nbecame %s\nwant   %s", c.in, got, c.want)
			}
		})
	}
}
