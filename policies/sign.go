package policies

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// The types of what is signed. They are part of what a signature covers, so that the
// signature of a policy can never stand for one of a lock.
const (
	PolicyType = "application/vnd.sanitize.policy+yaml"
	LockType   = "application/vnd.sanitize.lock+json"
)

// PayloadType is the type of a file's contents.
func PayloadType(content []byte) string {
	if IsLock(content) {
		return LockType
	}
	return PolicyType
}

// The limits of signature files.
const (
	maxSignature  = 2 * maxLock // bytes
	maxSignatures = 100         // of one file
)

// Envelope is a DSSE envelope, version 1 of
// https://github.com/secure-systems-lab/dsse/blob/master/envelope.md: what was signed,
// its type, and one or more signatures over both. It stands beside the file that it
// signs, and holds the file's exact bytes as its payload, so that other tools can
// check it without knowing ours. Here the file's own bytes are checked, not the
// payload's, and the two have to be equal.
type Envelope struct {
	PayloadType string              `json:"payloadType"`
	Payload     string              `json:"payload"` // base64
	Signatures  []EnvelopeSignature `json:"signatures"`
}

// EnvelopeSignature is one signature: ed25519 over the envelope's PAE.
type EnvelopeSignature struct {
	KeyID string `json:"keyid,omitempty"` // the key's fingerprint; a hint that nothing is decided by
	Sig   string `json:"sig"`             // base64
}

// pae is the pre-authentication encoding of DSSE: what is signed.
func pae(payloadType string, body []byte) []byte {
	b := fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(payloadType), payloadType, len(body))
	return append(b, body...)
}

// SignatureError is a signature, or a key for one, that cannot be used. It shows nothing
// of a private key.
type SignatureError struct {
	Reason, Help string
}

// Error returns the reason.
func (e *SignatureError) Error() string { return e.Reason }

// Hint returns what a person can do.
func (e *SignatureError) Hint() string { return e.Help }

func unsigned(help, format string, args ...any) error {
	return &SignatureError{fmt.Sprintf(format, args...), help}
}

// Sign returns an envelope of content with one more signature. former is the envelope
// so far, nil if there is none; it has to be of the same bytes. A key signs once: a
// second signature by it takes the place of its first.
func Sign(content []byte, key ed25519.PrivateKey, former []byte) ([]byte, error) {
	e := Envelope{PayloadType: PayloadType(content), Payload: base64.StdEncoding.EncodeToString(content), Signatures: []EnvelopeSignature{}}
	if former != nil {
		old, err := parseEnvelope(former)
		if err != nil {
			return nil, err
		}
		payload, err := decodeBase64(old.Payload)
		if err != nil || !bytes.Equal(payload, content) || old.PayloadType != e.PayloadType {
			return nil, unsigned("the file has changed since: remove the signatures, and have all signers sign anew", "the signatures so far are of other bytes")
		}
		e.Signatures = old.Signatures
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		panic("policies: the public half of an ed25519 key is none") // a promise of crypto/ed25519
	}
	id := fingerprintOf(public)
	e.Signatures = slices.DeleteFunc(e.Signatures, func(s EnvelopeSignature) bool { return s.KeyID == id })
	sig := ed25519.Sign(key, pae(e.PayloadType, content))
	e.Signatures = append(e.Signatures, EnvelopeSignature{KeyID: id, Sig: base64.StdEncoding.EncodeToString(sig)})
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		panic("policies: envelope: " + err.Error()) // plain data always encodes
	}
	return b.Bytes(), nil
}

// parseEnvelope reads an envelope. Fields that the standard does not name are ignored, as
// it asks; one that stands twice, or is spelled in another case, could be read in two
// ways, and is refused.
func parseEnvelope(text []byte) (*Envelope, error) {
	if err := plainObject(text, "payloadType", "payload", "signatures"); err != nil {
		return nil, err
	}
	e := &Envelope{}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(e); err != nil {
		return nil, unsigned("", "the signature file is not whole: %s", jsonProblem(err))
	}
	switch _, err := d.Token(); {
	case !errors.Is(err, io.EOF):
		return nil, unsigned("", "something follows the envelope in the signature file")
	case e.PayloadType == "" || e.Payload == "" || len(e.Signatures) == 0:
		return nil, unsigned("", "the envelope lacks its type, its payload or its signatures")
	case len(e.Signatures) > maxSignatures:
		return nil, unsigned("", "the envelope has more than %d signatures", maxSignatures)
	}
	return e, nil
}

// plainObject complains if a field of a JSON object is there twice, or in another case.
func plainObject(text []byte, fields ...string) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return unsigned("it holds a DSSE envelope, or what ssh-keygen -Y sign wrote", "this is no signature file")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, isText := t.(string)
		if err != nil || !isText {
			return unsigned("", "the signature file is not whole")
		}
		for _, f := range fields {
			if strings.EqualFold(f, name) {
				if seen[f] || f != name {
					return unsigned("", "the envelope has the field %s twice, or in another case", f)
				}
				seen[f] = true
			}
		}
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return unsigned("", "the signature file is not whole")
		}
	}
	return nil
}

// decodeBase64 takes both alphabets, as DSSE asks of whoever verifies, but no other text
// for the same bytes.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, base64.CorruptInputError(0) // the decoder passes over line ends
	}
	s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
	return base64.StdEncoding.Strict().DecodeString(s)
}

// fingerprintOf is how a key is shown: as ssh-keygen -l shows it.
func fingerprintOf(key ed25519.PublicKey) string {
	public, err := ssh.NewPublicKey(key)
	if err != nil {
		return "" // a key of another length, which nobody here makes
	}
	return ssh.FingerprintSHA256(public)
}

// Signer is one signature that a file carries.
type Signer struct {
	Name   string `json:"name,omitempty"`   // as the allowed signers call the key's owner; empty if it is not among them
	Key    string `json:"key"`              // the key's fingerprint, SHA256:…; of a DSSE signature by an unknown key what it claims
	Format string `json:"format"`           // dsse or ssh
	Valid  bool   `json:"valid"`            // over these very bytes, by an allowed key
	Reason string `json:"reason,omitempty"` // why it is not valid
}

// Signatures checks the signatures of one file over content: a DSSE envelope, or what
// `ssh-keygen -Y sign -n sanitize` wrote, several of those one after the other. Each
// signature comes back, with the reason where it does not hold; an error, a
// *SignatureError, says that the file is no such file. Whether the valid ones are
// enough is asked of Approve.
func Signatures(content, signature []byte, allowed *AllowedSigners) ([]Signer, error) {
	if len(signature) > maxSignature {
		return nil, unsigned("", "the signature file has more than %d MiB", maxSignature>>20)
	}
	if isSSHSignature(signature) {
		return sshSignatures(content, signature, allowed)
	}
	e, err := parseEnvelope(signature)
	if err != nil {
		return nil, err
	}
	var problem string
	payload, err := decodeBase64(e.Payload)
	switch want := PayloadType(content); {
	case err != nil:
		return nil, unsigned("", "the envelope's payload is not base64")
	case e.PayloadType != want:
		problem = fmt.Sprintf("it is for the type %s, and the file is of type %s", clip(e.PayloadType), want)
	case !bytes.Equal(payload, content):
		problem = "it is of other bytes: the file has changed since"
	}
	message := pae(e.PayloadType, content)
	var signers []Signer
	for _, s := range e.Signatures {
		signers = append(signers, allowed.dsse(s, message, problem))
	}
	return signers, nil
}

// dsse checks one signature against each key: the id that it claims decides nothing.
func (a *AllowedSigners) dsse(s EnvelopeSignature, message []byte, problem string) Signer {
	out := Signer{Key: clip(s.KeyID), Format: "dsse", Reason: problem}
	sig, err := decodeBase64(s.Sig)
	switch {
	case problem != "":
		return out
	case err != nil || len(sig) != ed25519.SignatureSize:
		out.Reason = "it is not an ed25519 signature"
		return out
	}
	for _, k := range a.keys {
		if ed25519.Verify(k.key, message, sig) {
			return Signer{Name: k.name, Key: fingerprintOf(k.key), Format: "dsse", Valid: true}
		}
	}
	out.Reason = "it is by none of the allowed signers, or of other bytes"
	return out
}

// Approve complains unless at least threshold different signers have signed validly. Two
// signatures by one key, or by two keys of one name, are one signer's.
func Approve(signers []Signer, threshold int) error {
	names, keys := map[string]bool{}, map[string]bool{}
	var reasons []string
	for _, s := range signers {
		if s.Valid {
			names[strings.ToLower(s.Name)], keys[s.Key] = true, true // ADA@shop.example is ada@shop.example
		} else if who := strings.TrimSpace(s.Name + " " + s.Key); !slices.Contains(reasons, who+": "+s.Reason) {
			reasons = append(reasons, who+": "+s.Reason)
		}
	}
	have := min(len(names), len(keys))
	if have >= threshold && threshold > 0 {
		return nil
	}
	help := "have it signed with: sanitize sign FILE --key KEY"
	if len(reasons) > 0 {
		help = strings.Join(reasons, "; ")
	}
	if threshold == 1 {
		return unsigned(help, "there is no valid signature by an allowed signer")
	}
	return unsigned(help, "%d of the allowed signers have signed, and %d are asked for", have, threshold)
}

// NewSigningKey returns a fresh ed25519 key: the private half as PKCS #8 in PEM, and the
// public half as a line of a file of allowed signers.
func NewSigningKey(name string) (private, public []byte, err error) {
	if name == "" || strings.ContainsAny(name, " \t\r\n\",#*?!") {
		return nil, nil, unsigned("for example: dpo@shop.example", "a signer's name is a word without blanks, commas, quotes and wildcards")
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("make signing key: %w", err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, nil, fmt.Errorf("make signing key: %w", err)
	}
	public = append([]byte(name+" "), ssh.MarshalAuthorizedKey(line)...)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), public, nil
}

// LoadSigningKey reads a private ed25519 key, PKCS #8 in PEM, as `openssl genpkey
// -algorithm ed25519` and `sanitize keys new-signing` write it. Nobody but its owner may
// be able to read the file. Errors are of type *SignatureError, or of package os.
func LoadSigningKey(path string) (ed25519.PrivateKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open signing key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat signing key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > 64<<10 {
		return nil, unsigned("", "signing key %s is not a regular file of at most 64 KiB", path)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return nil, unsigned("chmod 600 "+path, "signing key %s can be read or changed by others (mode %04o)", path, perm)
	}
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	key, err := parseSigningKey(text)
	if err != nil {
		var e *SignatureError
		if errors.As(err, &e) {
			return nil, unsigned(e.Help, "signing key %s: %s", path, e.Reason)
		}
		return nil, err
	}
	return key, nil
}

// parseSigningKey reads PEM. What a library says of a key that does not parse may quote
// it, and is left out.
func parseSigningKey(text []byte) (ed25519.PrivateKey, error) {
	const makeOne = "make one with: sanitize keys new-signing FILE --name NAME"
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, unsigned(makeOne, "it is not PEM")
	case block.Type == "OPENSSH PRIVATE KEY":
		return nil, unsigned("sign with it by: ssh-keygen -Y sign -n "+sshNamespace+" -f KEY FILE", "it is a key of OpenSSH")
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, unsigned("decrypt it with: openssl pkey", "it is encrypted")
	case block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) > 0:
		return nil, unsigned(makeOne, "it is not one private key in PKCS #8")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, unsigned(makeOne, "its PKCS #8 cannot be read")
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, unsigned(makeOne, "it is not an ed25519 key")
	}
	return key, nil
}
