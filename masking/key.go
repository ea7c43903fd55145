package masking

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// KeySize is the size of a master key in bytes: 256 bits.
const KeySize = 32

// Key is a master key. It has no String, and prints as its id: it never reaches
// an error, a log or a report. It is immutable and safe for concurrent use.
type Key struct {
	secret secret
}

// Subkey is derived from a Key for one domain and one transform. It prints as "subkey".
type Subkey struct {
	secret secret
}

// secret holds a key inside a function. Package fmt cannot call the Format of a
// field that is not exported and prints what it holds, through pointers too;
// of a function it prints the address.
type secret func() *[KeySize]byte

func hold(key [KeySize]byte) secret { return func() *[KeySize]byte { return &key } }

// NewKey returns a fresh random key.
func NewKey() *Key {
	var b [KeySize]byte
	rand.Read(b[:]) // never fails: crypto/rand
	return &Key{secret: hold(b)}
}

// KeyFromBytes returns the key of exactly KeySize bytes.
func KeyFromBytes(b []byte) (*Key, error) {
	if len(b) != KeySize {
		return nil, &KeyError{Reason: fmt.Sprintf("the key has %d bytes and must have %d", len(b), KeySize), Help: "make one with: sanitize keys new FILE"}
	}
	return &Key{secret: hold([KeySize]byte(b))}, nil
}

// KeyError is a key that cannot be used. It never shows the key.
type KeyError struct {
	Reason, Help string
}

// Error returns the reason.
func (e *KeyError) Error() string { return e.Reason }

// Hint returns what a person can do.
func (e *KeyError) Hint() string { return e.Help }

const keyHeader = "sanitize-key-v1"

// Marshal returns the text of a key file: a header, the key in base64, and a
// check value by which a mistyped key is found.
//
//	sanitize-key-v1
//	key: 4Gd…=
//	check: 0123456789abcdef
func (k *Key) Marshal() []byte {
	return fmt.Appendf(nil, "%s\nkey: %s\ncheck: %s\n", keyHeader, base64.StdEncoding.EncodeToString(k.secret()[:]), k.Check())
}

// ParseKey reads what Marshal wrote.
func ParseKey(text []byte) (*Key, error) {
	bad := func(reason string) (*Key, error) {
		return nil, &KeyError{Reason: reason, Help: "make one with: sanitize keys new FILE"}
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
	if lines[0] != keyHeader {
		return bad("not a key file: the first line is not " + keyHeader)
	}
	if len(lines) != 3 {
		return bad(fmt.Sprintf("the key file has %d lines and must have 3", len(lines)))
	}
	encoded, ok := strings.CutPrefix(lines[1], "key: ")
	if !ok {
		return bad("line 2 of the key file is not `key: …`")
	}
	check, ok := strings.CutPrefix(lines[2], "check: ")
	if !ok {
		return bad("line 3 of the key file is not `check: …`")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return bad("the key is not base64")
	}
	k, err := KeyFromBytes(raw)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(k.Check()), []byte(check)) != 1 {
		return bad("the check value does not belong to the key: the file was damaged or mistyped")
	}
	return k, nil
}

// LoadKey reads a key file, which nobody but its owner may be able to read.
func LoadKey(path string) (*Key, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &KeyError{Reason: fmt.Sprintf("key file %s does not exist", path), Help: "make one with: sanitize keys new " + path}
		}
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &KeyError{Reason: fmt.Sprintf("key file %s is not a regular file", path)}
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return nil, &KeyError{Reason: fmt.Sprintf("key file %s can be read or changed by others (mode %04o)", path, perm), Help: "chmod 600 " + path}
	}
	if info.Size() > 4096 {
		return nil, &KeyError{Reason: fmt.Sprintf("key file %s is too long to be a key", path)}
	}
	text := make([]byte, info.Size())
	if _, err := io.ReadFull(f, text); err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	k, err := ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return k, nil
}

// Check returns 16 hex digits that tell keys apart and give nothing of the key away.
func (k *Key) Check() string {
	check := derive(k.secret()[:], "v1|check")
	return hex.EncodeToString(check[:8])
}

// String returns the key's check value, so that a key that is printed by mistake is not shown.
func (k *Key) String() string { return "key " + k.Check() }

// GoString is as String.
func (k *Key) GoString() string { return k.String() }

// Format is as String, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, "key ", (&k).Check()) }

// Format prints "subkey", whatever the verb.
func (s Subkey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "subkey") }

// Subkey derives the key of one domain and one transform:
// HKDF-SHA256 (RFC 5869) with "v1|domain|transform|version" as info. The lengths
// of domain and transform stand before them, so that no two triples collide.
func (k *Key) Subkey(domain, transform string, version int) Subkey {
	info := fmt.Sprintf("v1|%d:%s|%d:%s|%d", len(domain), domain, len(transform), transform, version)
	return subkey(derive(k.secret()[:], info))
}

func subkey(key [KeySize]byte) Subkey { return Subkey{secret: hold(key)} }

// For derives a key for one use of a sub-key: the keyed function, the permutation.
// Two uses never share a key.
func (s Subkey) For(use string) [KeySize]byte { return derive(s.secret()[:], "v1|use|"+use) }

func derive(secret []byte, info string) (out [KeySize]byte) {
	b, err := hkdf.Key(sha256.New, secret, nil, info, KeySize)
	if err != nil {
		panic("masking: hkdf: " + err.Error()) // only for lengths that are not asked for
	}
	copy(out[:], b)
	return out
}
