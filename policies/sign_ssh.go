package policies

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// sshNamespace is what an SSH signature has to be for (ssh-keygen -Y sign -n): one that
// was made for git, or for another program, is none of a policy.
const sshNamespace = "sanitize"

// sshArmor is how a signature by ssh-keygen begins.
var sshArmor = []byte("-----BEGIN SSH SIGNATURE-----")

const sshBlock = "SSH SIGNATURE"

func isSSHSignature(text []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(text), sshArmor) }

// sshEnvelope is the blob of PROTOCOL.sshsig of OpenSSH, after its magic.
type sshEnvelope struct {
	Version   uint32
	PublicKey string
	Namespace string
	Reserved  string
	Hash      string
	Signature string
}

// sshMessage is what the key signs, after the magic.
type sshMessage struct {
	Namespace string
	Reserved  string
	Hash      string
	Digest    string
}

const sshMagic = "SSHSIG"

// sshSignatures checks each armoured block of a file.
func sshSignatures(content, text []byte, allowed *AllowedSigners) ([]Signer, error) {
	var signers []Signer
	for rest := bytes.TrimSpace(text); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		if !bytes.HasPrefix(rest, sshArmor) {
			return nil, unsigned("", "the signature file holds more than SSH signatures")
		}
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil || block.Type != sshBlock || len(block.Headers) > 0 {
			return nil, unsigned("", "an SSH signature is not whole")
		}
		if len(signers) >= maxSignatures {
			return nil, unsigned("", "the file has more than %d signatures", maxSignatures)
		}
		signers = append(signers, allowed.ssh(content, block.Bytes))
	}
	return signers, nil
}

// ssh checks one signature.
func (a *AllowedSigners) ssh(content, blob []byte) Signer {
	out := Signer{Format: "ssh"}
	bad := func(format string, args ...any) Signer {
		out.Reason = fmt.Sprintf(format, args...)
		return out
	}
	body, found := bytes.CutPrefix(blob, []byte(sshMagic))
	var e sshEnvelope
	if !found || ssh.Unmarshal(body, &e) != nil {
		return bad("it is not an SSH signature")
	}
	key, err := ssh.ParsePublicKey([]byte(e.PublicKey))
	if err != nil {
		return bad("its key cannot be read")
	}
	out.Key = ssh.FingerprintSHA256(key)
	switch {
	case e.Version != 1:
		return bad("it is of version %d of the format, and 1 is known", e.Version)
	case key.Type() != ssh.KeyAlgoED25519:
		return bad("its key is of type %s, and ssh-ed25519 is asked for", clip(key.Type()))
	case e.Namespace != sshNamespace:
		return bad("it was made for %q: sign with ssh-keygen -Y sign -n %s", clip(e.Namespace), sshNamespace)
	}
	var digest []byte
	switch e.Hash {
	case "sha256":
		sum := sha256.Sum256(content)
		digest = sum[:]
	case "sha512":
		sum := sha512.Sum512(content)
		digest = sum[:]
	default:
		return bad("its hash is %q, and sha512 or sha256 is asked for", clip(e.Hash))
	}
	var sig ssh.Signature
	if ssh.Unmarshal([]byte(e.Signature), &sig) != nil || sig.Format != ssh.KeyAlgoED25519 || len(sig.Rest) > 0 {
		return bad("it is not an ed25519 signature")
	}
	message := append([]byte(sshMagic), ssh.Marshal(sshMessage{e.Namespace, e.Reserved, e.Hash, string(digest)})...)
	i := slices.IndexFunc(a.keys, func(k allowedKey) bool { return fingerprintOf(k.key) == out.Key })
	switch {
	case i < 0:
		return bad("it is by none of the allowed signers")
	case key.Verify(message, &sig) != nil:
		return bad("it is of other bytes: the file has changed since")
	}
	out.Name, out.Valid = a.keys[i].name, true
	return out
}

// AllowedSigners are the keys that may sign, and whose they are. It is immutable, and
// safe for concurrent use.
type AllowedSigners struct {
	keys []allowedKey
}

type allowedKey struct {
	name string
	key  ed25519.PublicKey
}

// ParseAllowedSigners reads a file of public keys. A line is
//
//	dpo@shop.example ssh-ed25519 AAAA… comment
//
// as in the allowed signers of ssh-keygen, where namespaces="sanitize" may stand before the
// key's type; or the key alone, as in a .pub file, whose comment is then the name. Or a key
// stands there in PEM, as `openssl pkey -pubout` writes it, with the name in a comment
// above:
//
//	# dpo@shop.example
//	-----BEGIN PUBLIC KEY-----
//
// A line that is none of that is an error: a key that somebody meant to allow, or to
// restrict, is not passed over. Errors are of type *SignatureError.
func ParseAllowedSigners(file string, text []byte) (*AllowedSigners, error) {
	a := &AllowedSigners{}
	if bytes.ContainsRune(text, '\ufeff') {
		// It would be part of a name, and one person two signers.
		return nil, unsigned("save it as UTF-8 without a BOM", "%s holds a byte order mark", file)
	}
	name := "" // of the comment above
	lines := strings.SplitAfter(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		bad := func(format string, args ...any) error {
			return unsigned("a line is: NAME ssh-ed25519 AAAA…", "%s:%d: %s", file, i+1, fmt.Sprintf(format, args...))
		}
		switch {
		case line == "":
			name = ""
		case strings.HasPrefix(line, "#"):
			name = strings.TrimSpace(strings.TrimLeft(line, "#"))
		case strings.HasPrefix(line, "-----BEGIN "):
			block, _ := pem.Decode([]byte(strings.Join(lines[i:], "")))
			if block == nil {
				return nil, bad("the PEM block is not whole")
			}
			if strings.Contains(block.Type, "PRIVATE") {
				return nil, bad("this is a private key; it does not belong here")
			}
			parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
			key, isEd := parsed.(ed25519.PublicKey)
			if err != nil || !isEd || block.Type != "PUBLIC KEY" {
				return nil, bad("this is no public ed25519 key")
			}
			if name == "" {
				name = fingerprintOf(key)
			}
			if err := a.add(name, key); err != nil {
				return nil, bad("%v", err)
			}
			for name = ""; i < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[i]), "-----END "); {
				i++
			}
		default:
			name = ""
			who, key, err := parseAllowedLine(line)
			if err == nil {
				err = a.add(who, key)
			}
			if err != nil {
				return nil, bad("%v", err)
			}
		}
	}
	if len(a.keys) == 0 {
		return nil, unsigned("a line is: NAME ssh-ed25519 AAAA…", "%s allows nobody", file)
	}
	return a, nil
}

func (a *AllowedSigners) add(name string, key ed25519.PublicKey) error {
	if slices.ContainsFunc(a.keys, func(k allowedKey) bool { return k.key.Equal(key) }) {
		return fmt.Errorf("the key stands here for the second time")
	}
	a.keys = append(a.keys, allowedKey{name, key})
	return nil
}

// parseAllowedLine reads one line: [names [options]] type key [comment].
func parseAllowedLine(line string) (name string, key ed25519.PublicKey, err error) {
	words := strings.Fields(line)
	i := slices.IndexFunc(words, func(w string) bool { return w == ssh.KeyAlgoED25519 })
	if i < 0 {
		return "", nil, fmt.Errorf("there is no key of type %s", ssh.KeyAlgoED25519)
	}
	if i+1 >= len(words) || i > 2 {
		return "", nil, fmt.Errorf("this is no line of allowed signers")
	}
	if i == 2 {
		// An option that is passed over would allow more than its writer meant.
		spaces, isNamespaces := strings.CutPrefix(strings.ToLower(words[1]), "namespaces=")
		if !isNamespaces {
			return "", nil, fmt.Errorf("the option is not known; namespaces=%q alone is", sshNamespace)
		}
		if !slices.Contains(strings.Split(strings.Trim(spaces, `"`), ","), sshNamespace) {
			return "", nil, fmt.Errorf("the key is not for the namespace %s", sshNamespace)
		}
	}
	blob, err := base64.StdEncoding.DecodeString(words[i+1])
	if err != nil {
		return "", nil, fmt.Errorf("the key is not base64")
	}
	public, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return "", nil, fmt.Errorf("the key cannot be read")
	}
	crypto, ok := public.(ssh.CryptoPublicKey)
	if !ok {
		return "", nil, fmt.Errorf("the key is no ed25519 key")
	}
	key, ok = crypto.CryptoPublicKey().(ed25519.PublicKey)
	if !ok {
		return "", nil, fmt.Errorf("the key is no ed25519 key")
	}
	switch {
	case i > 0:
		name = words[0]
		if strings.ContainsAny(name, "*?!") {
			return "", nil, fmt.Errorf("a name is no pattern here")
		}
		name, _, _ = strings.Cut(strings.Trim(name, `"`), ",")
	case len(words) > 2:
		name = strings.Join(words[2:], " ")
	default:
		name = fingerprintOf(key)
	}
	return name, key, nil
}
