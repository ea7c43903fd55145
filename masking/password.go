package masking

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// passwordFactory makes {password: bcrypt} and {password: argon2}: every password
// hash becomes one known hash, so that developers can log in as anybody, with one
// password. The hash comes from a file, since a policy holds no secret. It is read once, when
// the transform is bound, and stands in no error and no fingerprint; the fingerprint
// has its SHA-256.
//
// The column's whole content is suppressed: nothing of a hash comes through. An
// account without a password, NULL or an empty text, still has none.
type passwordFactory struct{}

func (passwordFactory) Describe() Description {
	sample := func(variant, hash string, most int) Sample {
		return Sample{
			Spec:   Spec{Variant: variant, Params: map[string]any{"from": "test-password"}},
			Column: Column{Kind: Text, MaxChars: most},
			Values: []string{"$2b$12$KIXQ4S3Xb1cF1lW3pYx4yeTqQ8Zb0r8mJ1m0m7tq8l0o6u3d9vY2a", "", "5f4dcc3b5aa765d61d8327deb882cf99"},
			Files:  map[string]string{"test-password": hash + "\n"},
		}
	}
	return Description{
		Name:     "password",
		Version:  1,
		Summary:  "Replaces every password hash by one known hash, so that test accounts can log in.",
		Kinds:    []Kind{Text, Bytes},
		Variants: []string{"bcrypt", "argon2"},

		Valueless: true,

		Params: []Param{{Name: "from", Summary: "the file that holds the hash, on one line", Type: "string", Required: true}},
		Samples: []Sample{
			sample("bcrypt", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", 60),
			sample("argon2", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", 0),
		},
	}
}

func (passwordFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("password", col); err != nil {
		return Binding{}, err
	}
	if err := refuseUnique("password", col, "{token: hex}"); err != nil {
		return Binding{}, err
	}
	path, _ := req.Spec.Params["from"].(string)
	read := readPasswordFile
	if req.Row != nil && req.Row.File != nil {
		read = req.Row.File
	}
	content, err := read(path)
	if err != nil {
		return Binding{}, passwordFileError(path, err)
	}
	variant, _ := req.Spec.Variant.(string)
	hash := bytes.TrimRight(content, "\r\n")
	if reason := checkHash(variant, hash); reason != "" {
		return Binding{}, &BindError{Reason: fmt.Sprintf("the file %s does not hold a hash of %s: %s", path, variant, reason), Help: hashHelp[variant]}
	}
	if most := limitsOf(col); !most.hold(hash) {
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("the hash has %d characters, the column holds %d", len(hash), min(most.chars, most.bytes)),
			Help:   "make a hash of the kind that the application stores in this column",
		}
	}
	sum := sha256.Sum256(hash)
	return Binding{
		Transform:  &passwordTransform{hash: hash, binary: col.Kind == Bytes},
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     variant + ", hash with SHA-256 " + hex.EncodeToString(sum[:]),
	}, nil
}

// hashHelp tells how a hash is made.
var hashHelp = map[string]string{
	"bcrypt": `one line, as made by: htpasswd -nbBC 10 "" PASSWORD | tr -d ':'`,
	"argon2": "one line, as made by: printf %s PASSWORD | argon2 SOMESALT -id -e",
}

const maxPasswordFile = 4096

var errNoPasswordFile = errors.New("it is not a regular file of at most 4 KiB")

// readPasswordFile reads a file of which we expect one line.
func readPasswordFile(path string) ([]byte, error) {
	info, err := os.Stat(path) // a pipe that nobody writes to would block an open
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPasswordFile {
		return nil, errNoPasswordFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxPasswordFile+1))
}

func passwordFileError(path string, err error) error {
	reason := "it cannot be read"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason = "it does not exist"
	case errors.Is(err, fs.ErrPermission):
		reason = "permission is denied"
	case errors.Is(err, errNoPasswordFile):
		reason = errNoPasswordFile.Error()
	}
	return &BindError{Reason: fmt.Sprintf("the file %s with the password's hash: %s", path, reason), Help: "from: names a file that holds one hash, on one line"}
}

// checkHash says what is wrong with a hash, without showing it; "" if nothing is.
func checkHash(variant string, hash []byte) string {
	switch {
	case len(hash) == 0:
		return "it is empty"
	case len(hash) > maxPasswordFile:
		return "it is too long"
	case bytes.ContainsAny(hash, "\r\n"):
		return "it has several lines"
	}
	for _, c := range hash {
		if c <= ' ' || c > '~' {
			return "it has blanks or characters beyond ASCII"
		}
	}
	if variant == "bcrypt" {
		return checkBcrypt(string(hash))
	}
	return checkArgon2(string(hash))
}

// checkBcrypt checks a hash of Provos and Mazières' bcrypt ("A Future-Adaptable
// Password Scheme", 1999) in the form of crypt(3): $2b$COST$, 22 characters of salt
// and 31 of hash.
func checkBcrypt(hash string) string {
	version, rest, _ := strings.Cut(strings.TrimPrefix(hash, "$"), "$")
	if hash[0] != '$' || version != "2a" && version != "2b" && version != "2y" {
		return "it does not begin with $2a$, $2b$ or $2y$"
	}
	cost, rest, _ := strings.Cut(rest, "$")
	if n, ok := plainNumber(cost); len(cost) != 2 || !ok || n < 4 || n > 31 {
		return "its cost is not from 04 to 31"
	}
	if len(rest) != 53 || strings.Trim(rest, "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return "53 characters of ./A–Za–z0–9 do not follow the cost"
	}
	return ""
}

// checkArgon2 checks a hash of Argon2 (RFC 9106) in the PHC string format:
// $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH, with base64 that has no padding.
func checkArgon2(hash string) string {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" {
		return "it is not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash"
	}
	switch parts[1] {
	case "argon2id", "argon2i", "argon2d":
	default:
		return "it does not begin with $argon2id$, $argon2i$ or $argon2d$"
	}
	if parts[2] != "v=19" && parts[2] != "v=16" {
		return "its version is not v=19 or v=16"
	}
	var cost [3]uint64
	costs := strings.Split(parts[3], ",")
	for i, name := range []string{"m=", "t=", "p="} {
		ok := len(costs) == 3 && strings.HasPrefix(costs[i], name)
		if ok {
			cost[i], ok = plainNumber(costs[i][2:])
			ok = ok && costs[i][2] != '0' // none is 0, and none has zeros in front
		}
		if !ok {
			return "its parameters are not m=…,t=…,p=…"
		}
	}
	if memory, lanes := cost[0], cost[2]; lanes >= 1<<24 || memory < 8*lanes {
		return "its parameter m is less than 8 times p, or p is beyond 2^24"
	}
	for i, least := range []int{8, 4} {
		b, err := base64.RawStdEncoding.Strict().DecodeString(parts[4+i])
		if err != nil || len(b) < least {
			return "its salt or its hash is not base64 without padding, or too short"
		}
	}
	return ""
}

// plainNumber reads a number of 32 bits in digits alone.
func plainNumber(text string) (uint64, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 32)
	return n, err == nil
}

type passwordTransform struct {
	hash   []byte
	binary bool
}

func (t *passwordTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.n*len(t.hash))
	for i := range values.n {
		if values.null(i) {
			out.null()
			continue
		}
		if v := values.value(i); len(v) == 0 || !t.binary && blank(v) {
			out.add(v)
			continue
		}
		out.add(t.hash)
	}
	return out.finish(), nil
}
