package masking

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/brianvoe/gofakeit/v7"
)

// benchRows is how many values a benchmark has: those of one batch.
const benchRows = 1024

// BenchmarkTransform reports what one value costs in a batch of 1,024, each case
// of the laws: ns/op is nanoseconds per value.
func BenchmarkTransform(b *testing.B) {
	for _, c := range lawCases {
		b.Run(c.name, func(b *testing.B) {
			values, subjects := c.take(0, benchRows)
			b.SetBytes(bytesPerValue(values))
			b.ReportAllocs()
			c.benchBatched(b, values, subjects)
		})
	}
}

// BenchmarkVariants takes one case of each transform and variant, and reports
// nanoseconds per value in three ways: batched; one by one, as arrays of one
// value; and what somebody would do who has not got this package, on the same
// values. `make bench-report` makes a table of it.
func BenchmarkVariants(b *testing.B) {
	seen := map[string]bool{}
	for _, c := range lawCases {
		name := variantName(c.spec)
		if seen[name] {
			continue
		}
		seen[name] = true
		b.Run(name, func(b *testing.B) {
			values, subjects := c.take(0, benchRows)
			b.Run("batched", func(b *testing.B) {
				b.SetBytes(bytesPerValue(values))
				c.benchBatched(b, values, subjects)
			})
			b.Run("single", func(b *testing.B) { c.benchSingle(b, values, subjects) })
			way, do := otherwise(&c)
			b.Run("otherwise="+way, func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					do(values[i%benchRows])
				}
			})
		})
	}
}

// variantName names a transform and its variant as a policy does.
func variantName(s Spec) string {
	switch v := s.Variant.(type) {
	case string:
		if slices.Contains(Standard().Factory(s.Name).Describe().Variants, v) {
			return s.Name + " " + v
		}
	case map[string]any:
		for k := range v {
			if slices.Contains(Standard().Factory(s.Name).Describe().Variants, k) {
				return s.Name + " " + k
			}
		}
	}
	return s.Name
}

func bytesPerValue(values []any) int64 {
	bytes := 0
	for _, v := range values {
		if s, isText := v.(string); isText {
			bytes += len(s)
		} else {
			bytes += 8
		}
	}
	return int64(bytes / len(values))
}

func (c *lawCase) benchBatched(b *testing.B, values, subjects []any) {
	run := c.runner(b, c.bind(b, fixedKey(b), "d"), values, subjects)
	run() // tables that are made when they are first asked for
	b.ResetTimer()
	for i := 0; i < b.N; i += len(values) {
		run()
	}
}

func (c *lawCase) benchSingle(b *testing.B, values, subjects []any) {
	bound := c.bind(b, fixedKey(b), "d")
	runs := make([]func(), 64)
	for i := range runs {
		var subject []any
		if subjects != nil {
			subject = subjects[i : i+1]
		}
		runs[i] = c.runner(b, bound, values[i:i+1], subject)
		runs[i]()
	}
	b.ResetTimer()
	for i := range b.N {
		runs[i%len(runs)]()
	}
}

// otherwise returns what somebody would do instead, and its name: the keyed hash of
// the standard library, a seeded gofakeit Faker for each value, a regular
// expression, or the decoder and encoder of the standard library.
func otherwise(c *lawCase) (way string, do func(v any)) {
	key := []byte("a key of thirty-two bytes or so.")
	switch c.spec.Name {
	case "fake", "person", "place":
		if v, _ := c.spec.Variant.(string); !slices.Contains([]string{"phone", "account", "national_id", "ssn", "iban", "pan", "ip", "mac"}, v) {
			return "gofakeit", func(v any) {
				h := fnv.New64a()
				fmt.Fprint(h, v)
				fakeit(gofakeit.New(h.Sum64()), c.spec.Variant)
			}
		}
	case "shape", "lorem", "redact":
		some := regexp.MustCompile(`[\p{L}\p{Nd}]`)
		if c.spec.Name == "redact" {
			some = regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.-]+|\+?[\d][\d ()./-]{6,}\d`)
		}
		return "regexp", func(v any) {
			some.ReplaceAllStringFunc(fmt.Sprint(v), func(hit string) string { return strings.Repeat("x", len(hit)) })
		}
	case "json":
		return "encoding/json", func(v any) {
			var doc any
			if err := json.Unmarshal([]byte(v.(string)), &doc); err != nil {
				panic(err)
			}
			if _, err := json.Marshal(doc); err != nil {
				panic(err)
			}
		}
	case "xml":
		return "encoding/xml", func(v any) {
			d, e := xml.NewDecoder(strings.NewReader(v.(string))), xml.NewEncoder(io.Discard)
			for {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					panic(err)
				}
				if err := e.EncodeToken(token); err != nil {
					panic(err)
				}
			}
			if err := e.Flush(); err != nil {
				panic(err)
			}
		}
	}
	var word [8]byte
	return "HMAC-SHA256", func(v any) {
		h := hmac.New(sha256.New, key)
		switch v := v.(type) {
		case string:
			io.WriteString(h, v)
		case int64:
			binary.LittleEndian.PutUint64(word[:], uint64(v))
			h.Write(word[:])
		default:
			fmt.Fprint(h, v)
		}
		hex.EncodeToString(h.Sum(nil))
	}
}

// fakeit asks a Faker for what comes nearest to a variant of ours.
func fakeit(f *gofakeit.Faker, variant any) string {
	switch variant {
	case "first_name":
		return f.FirstName()
	case "last_name":
		return f.LastName()
	case "email":
		return f.Email()
	case "user_name":
		return f.Username()
	case "city":
		return f.City()
	case "street":
		return f.Street()
	case "address":
		return f.Address().Address
	case "company":
		return f.Company()
	case "job":
		return f.JobTitle()
	case "url":
		return f.URL()
	case "host":
		return f.DomainName()
	case "user_agent":
		return f.UserAgent()
	case "postcode":
		return f.Zip()
	}
	return f.Name()
}
