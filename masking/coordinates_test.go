package masking

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

func TestTrigonometry(t *testing.T) {
	for i, a := range arctans {
		want := math.Atan(math.Ldexp(1, -i)) * 180 / math.Pi * nano * (1 << angleBits)
		if math.Abs(float64(a)-want) > want*1e-14+1 {
			t.Errorf("arctangent %d is %d, not %.0f", i, a, want)
		}
	}
	for d := -90.0; d <= 90; d += 0.137 {
		whole := int64(d * nano)
		d := float64(whole) / nano
		sin, cos := sincos(whole << angleBits)
		for _, c := range [][2]float64{{float64(sin) / (1 << 60), math.Sin(d * math.Pi / 180)}, {float64(cos) / (1 << 60), math.Cos(d * math.Pi / 180)}} {
			if math.Abs(c[0]-c[1]) > 1e-14 {
				t.Fatalf("%v degrees: %v, not %v", d, c[0], c[1])
			}
		}
		angle, length := polar(cos, sin)
		if math.Abs(float64(angle)/nano/(1<<angleBits)-d) > 1e-11 || math.Abs(float64(length)/(1<<60)-1) > 1e-13 {
			t.Fatalf("%v degrees came back as %v", d, float64(angle)/nano/(1<<angleBits))
		}
	}
}

// meters is the distance of two places by the haversine formula.
func meters(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	sin := func(x float64) float64 { s := math.Sin(x * rad / 2); return s * s }
	h := sin(lat2-lat1) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*sin(lon2-lon1)
	return 2 * 6371008.8 * math.Asin(math.Min(1, math.Sqrt(h)))
}

func coordinate(variant string, kv ...any) Spec {
	if variant == "latitude" || variant == "longitude" {
		kv = append(kv, "with", "subject")
	}
	return Spec{Name: "coordinates", Variant: variant, Params: params(kv...)}
}

func latitude(i int) float64  { return float64(mix(i)%180_000_000)/1e6 - 90 }
func longitude(i int) float64 { return float64(mix(i)>>20%360_000_000)/1e6 - 180 }

func numericDegrees(f func(int) float64) func(int) any {
	return func(i int) any { return strconv.FormatFloat(f(i), 'f', 6, 64) }
}

func pairOf(i int) any { return fmt.Sprintf("%.6f, %.6f", latitude(i), longitude(i)) }

func pointOf(i int) any { return fmt.Sprintf("(%v,%v)", longitude(i), latitude(i)) }

func readPair(s string) (a, b float64) {
	first, second, _ := strings.Cut(strings.Trim(s, "()"), ",")
	a, _ = strconv.ParseFloat(first, 64)
	b, _ = strconv.ParseFloat(strings.TrimSpace(second), 64)
	return a, b
}

func movedWithin(most float64, latitudeFirst bool) func(in, out any) string {
	return func(in, out any) string {
		a, b := readPair(in.(string))
		c, d := readPair(out.(string))
		if !latitudeFirst {
			a, b, c, d = b, a, d, c
		}
		if m := meters(a, b, c, d); m < most/10 || m > most {
			return fmt.Sprintf("moved by %.1f m", m)
		}
		if math.Abs(c) > 90 || math.Abs(d) > 180 {
			return "left the globe"
		}
		return ""
	}
}

var _ = addLawCases(
	lawCase{name: "coordinates latitude", spec: coordinate("latitude", "within", int64(1000)), col: Column{Kind: Float, Bits: 64}, value: func(i int) any { return latitude(i) }, few: true,
		by: &Column{Kind: Float}, subject: func(i int) any { return longitude(i) }},
	lawCase{name: "coordinates longitude", spec: coordinate("longitude", "within", int64(1000)), col: Column{Kind: Numeric, Precision: 9, Scale: 6}, value: numericDegrees(longitude), few: true,
		by: &Column{Kind: Numeric}, subject: numericDegrees(latitude)},
	lawCase{name: "coordinates pair", spec: coordinate("pair", "within", int64(100)), col: Column{Kind: Text, MaxChars: 30}, value: pairOf, fits: movedWithin(100, true)},
	lawCase{name: "coordinates point", spec: coordinate("point", "within", 1.5), col: Column{Kind: Point}, value: pointOf, fits: movedWithin(1.5, false)},
	lawCase{name: "coordinates far", spec: coordinate("point", "within", int64(mostMeters)), col: Column{Kind: Point}, value: pointOf, fits: movedWithin(mostMeters, false)},
	lawCase{name: "coordinates grid", spec: coordinate("pair", "grid", 0.05), col: Column{Kind: Text}, value: pairOf, fixed: true},
	lawCase{name: "coordinates grid of latitude", spec: Spec{Name: "coordinates", Variant: "latitude", Params: params("grid", 0.01)}, col: Column{Kind: Float}, value: func(i int) any { return latitude(i) }, fixed: true},
)

var _ = addVectors(vectorSet{"coordinates", []vector{
	{"d", Column{Kind: Point}, coordinate("point", "within", int64(1000)), []any{"(13.3777,52.51627)", "(0,0)", "(180,0)", "(-180,0)", "(77,90)", "(1,90)", "(179.9999999,-89.99999)", "(1e-05,-1E-7)", "(NaN,NaN)", nil}, nil},
	{"e", Column{Kind: Point}, coordinate("point", "within", int64(1000)), []any{"(13.3777,52.51627)"}, nil},
	{"d", Column{Kind: Text}, coordinate("pair", "within", int64(1000)), []any{"52.51627, 13.3777", "(52.5163,13.3777)", "", "-33.85678,151.21530000000"}, nil},
	{"d", Column{Kind: Text}, coordinate("pair", "within", int64(mostMeters)), []any{"52.51627,13.37770", "-89.99,13.37770"}, nil},
	{"d", Column{Kind: Float, Bits: 64}, coordinate("latitude", "within", int64(1000)), []any{52.51627, -90.0, nil}, 13.3777},
	{"d", Column{Kind: Float, Bits: 64}, coordinate("longitude", "within", int64(1000)), []any{13.3777, 180.0, nil}, 52.51627},
	{"d", Column{Kind: Text}, coordinate("pair", "grid", 0.01), []any{"52.51627, 13.3777", "-33.85678,-151.2", "-90,180"}, nil},
}})

// Latitude and longitude of two columns move together, whatever the kinds are, and
// as one column of both moves.
func TestCoordinatesOfTwoColumns(t *testing.T) {
	for _, kind := range []Kind{Float, Numeric} {
		value := func(v float64) any {
			if kind == Float {
				return v
			}
			return strconv.FormatFloat(v, 'f', 7, 64)
		}
		lat := &lawCase{spec: coordinate("latitude", "within", int64(500)), col: Column{Kind: kind}, by: &Column{Kind: kind}}
		lon := &lawCase{spec: coordinate("longitude", "within", int64(500)), col: Column{Kind: kind}, by: &Column{Kind: kind}}
		pair := situation(t, Column{Kind: Text}, coordinate("pair", "within", int64(500)))
		for i := range 500 {
			a, b := latitude(i), longitude(i)
			la := lat.mask(t, lat.bind(t, fixedKey(t), "d"), true, []any{value(a)}, []any{value(b)})[0]
			lo := lon.mask(t, lon.bind(t, fixedKey(t), "d"), true, []any{value(b)}, []any{value(a)})[0]
			both := pair(fmt.Sprintf("%.7f,%.7f", a, b))[0]
			x, y := readPair(fmt.Sprint(la, ",", lo))
			if c, d := readPair(both.(string)); c != x || d != y {
				t.Fatalf("place %d: two columns moved to another place than one", i)
			}
			if m := meters(a, b, x, y); m < 50 || m > 500 {
				t.Fatalf("place %d moved by %.1f m", i, m)
			}
		}
		// Without the other coordinate there is still one to mask.
		if out := lat.mask(t, lat.bind(t, fixedKey(t), "d"), true, []any{value(1), nil, value(1)}, []any{nil, value(1), value(0)}); out[0] == value(1) || out[1] != nil || out[0] == out[2] {
			t.Errorf("halves of places became %v", out)
		}
	}
}

// The ring is filled evenly, in every direction.
func TestCoordinatesMoveEvenly(t *testing.T) {
	var quadrants [4]int
	near, n := 0, 8000
	mask := situation(t, Column{Kind: Text}, coordinate("pair", "within", int64(1000)))
	for i := range n {
		a, b := float64(i%1000)/100, float64(i/1000)
		c, d := readPair(mask(fmt.Sprintf("%.7f,%.7f", a, b))[0].(string))
		q := 0
		if c > a {
			q = 1
		}
		if d > b {
			q += 2
		}
		quadrants[q]++
		if meters(a, b, c, d) < 900*math.Sqrt(0.52) { // half of the ring's area
			near++
		}
	}
	for q, got := range append(quadrants[:], near/2) {
		if got < n/4-200 || got > n/4+200 {
			t.Errorf("part %d of the ring has %d of %d", q, got, n)
		}
	}
}

func TestCoordinatesAtTheEdges(t *testing.T) {
	mask := situation(t, Column{Kind: Point}, coordinate("point", "within", int64(50_000)))
	for _, p := range []string{"(180,0)", "(-180,0)", "(179.999,51)", "(-179.999,-51)", "(0,90)", "(0,-90)", "(120,89.9)", "(-60,-89.99)", "(0,0)"} {
		if wrong := movedWithin(50_000, false)(p, mask(p)[0]); wrong != "" {
			t.Errorf("%s %s", p, wrong)
		}
	}
	out := mask("(180,10)", "(-180,10)", "(7,90)", "(-60.5,90)", "(0,-0)", "(-0.0,0)")
	if out[0] != out[1] || out[2] != out[3] {
		t.Errorf("one place became two: %v", out)
	}
	a, b := readPair(out[4].(string))
	if c, d := readPair(out[5].(string)); a != c || b != d {
		t.Errorf("zeros became %v", out[4:])
	}
	narrow := situation(t, Column{Kind: Numeric, Precision: 7, Scale: 5}, Spec{Name: "coordinates", Variant: "longitude", Params: params("grid", 0.01)})
	if out := narrow("99.99999", "-99.99999"); out[0] != "99.99000" || out[1] != "-99.99999" {
		t.Errorf("narrow columns hold %v", out)
	}
}

func TestCoordinatesThatCannotBe(t *testing.T) {
	float := Column{Kind: Float, Name: "c"}
	refused(t, float, coordinate("latitude"), "within or grid")
	refused(t, float, coordinate("latitude", "within", int64(1), "grid", int64(1)), "within or grid")
	refused(t, float, coordinate("latitude", "within", int64(0)), "metres")
	refused(t, float, coordinate("latitude", "within", 1e6), "metres")
	refused(t, float, coordinate("latitude", "within", int64(100)), "column of a table")
	refused(t, float, Spec{Name: "coordinates", Variant: "latitude", Params: params("within", int64(100))}, "column of the other")
	refused(t, float, coordinate("pair", "within", int64(100)), "kind float")
	refused(t, Column{Kind: Point}, coordinate("latitude", "grid", 0.1), "kind point")
	refused(t, Column{Kind: Numeric, Precision: 5, Scale: 2}, coordinate("latitude", "within", int64(100)), "5 decimal places")
	refused(t, Column{Kind: Numeric, Precision: 5, Scale: 2}, coordinate("latitude", "grid", 0.001), "2 decimal places")
	refused(t, float, coordinate("latitude", "grid", int64(91)), "grid")
	point := Column{Kind: Point}
	rejected(t, point, coordinate("point", "within", int64(10)), []any{"(1,2)", "(1,91)"}, 1, "beyond")
	rejected(t, point, coordinate("point", "within", int64(10)), []any{"(1,2)", "1 2"}, 1, "decimal degrees")
	rejected(t, Column{Kind: Text}, coordinate("pair", "within", int64(10)), []any{"Infinity,3"}, 0, "decimal degrees")
	rejected(t, Column{Kind: Float}, Spec{Name: "coordinates", Variant: "latitude", Params: params("grid", 0.1)}, []any{91.0}, 0, "beyond")
	rejected(t, Column{Kind: Text, MaxChars: 5}, coordinate("pair", "within", int64(10)), []any{"1,2"}, 0, "characters")

	peer := func(spec Spec) *Row {
		other := Column{Kind: Float, Name: "subject"}
		return &Row{Column: func(name string) (Column, bool) { return other, name == "subject" }, Peers: []Peer{{Column: other, Spec: spec}}}
	}
	mine := coordinate("latitude", "within", int64(100))
	mine.Domain = "d"
	theirs := Spec{Name: "coordinates", Variant: "longitude", Domain: "d", Params: params("with", "c", "within", int64(100))}
	if b, err := Standard().Bind(fixedKey(t), float, mine, peer(theirs)); err != nil || len(b.Warnings) > 0 {
		t.Errorf("two that agree: %v %v", b.Warnings, err)
	}
	if b, err := Standard().Bind(fixedKey(t), float, mine, peer(Spec{})); err != nil || len(b.Warnings) != 1 {
		t.Errorf("one that stays: %v %v", b.Warnings, err)
	}
	theirs.Domain = "e"
	if _, err := Standard().Bind(fixedKey(t), float, mine, peer(theirs)); err == nil {
		t.Error("two domains move together")
	}
}

func FuzzCoordinates(f *testing.F) {
	f.Add("(13.4,52.5)", false)
	f.Add("52.5, -13.4", true)
	f.Add("(1e-300,-90)", false)
	f.Add("((,))", true)
	f.Fuzz(func(t *testing.T, text string, first bool) {
		tr := &coordinates{both: true, latitude: first}
		ns := getNumberScratch()
		defer ns.free()
		p := spot{}
		values := textsOf(arrayOf(memory.DefaultAllocator, Text, true, []any{text}))
		tr.readBoth(ns, &p, &values, 0)
		if p.what == atPlace && (p.latitude > 90*nano || p.latitude < -90*nano || p.longitude > 180*nano || p.longitude < -180*nano) {
			t.Fatal("a place beyond the globe")
		}
	})
}
