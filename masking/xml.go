package masking

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// xmlFactory makes {xml: {PATH: …, "*": …}}: each path of a document (XML 1.0, fifth
// edition) or of a fragment of one is kept, dropped, or masked by a transform of its
// own, and `*` says what becomes of all that no path names.
//
// # Paths
//
// /order/customer/name is an element, /order/@id an attribute, /order/* every child,
// /order/@* every attribute, //email an element at any depth. Names are compared as
// they are written, with their prefix. Of several paths that lead to one value, the same
// decides as in JSON (see jsonFactory).
//
// # What happens to a value
//
//   - keep: the element stays byte for byte, with all that is inside; so do the
//     attribute, and comments and processing instructions that stand inside.
//   - drop: the element goes, with all that is inside; or the attribute. An
//     element on the way to a path that is named stays, without its text; with //
//     every one is on the way.
//   - A transform masks the text of the element, each run of it between two tags, and
//     the value of an attribute. An attribute or element inside that no path names is
//     dropped. White space around a text stays, and is not part of the value.
//   - A transform at `*` masks every text and attribute that no path names, at any depth;
//     the elements around them stay, and so do all names.
//
// Where anything is dropped or masked, comments and processing instructions go, since no
// path leads to them. Namespace declarations stay with their element, and the XML
// declaration with its document.
//
// # How a value reaches its transform
//
// Entities, character references and CDATA sections are read, line ends become one
// character, and the value is masked as text; what comes back is escaped. If the
// transform does not take text, what spells a number, a boolean, a date or an
// instant is masked as that, as a string in JSON is. A result that is NULL leaves nothing.
//
// No document type is followed: a DOCTYPE makes a document malformed, and so do
// entities other than the five of XML, tags that do not match, and elements nested
// deeper than 1,000.
type xmlFactory struct{}

func (xmlFactory) Describe() Description {
	return Description{
		Name:    "xml",
		Version: 1,
		Summary: "Masks XML documents and fragments path by path; what no path names falls to the mandatory path *.",
		Kinds:   []Kind{XML, Text},
		Value:   "paths of elements and attributes, and what masks them",
		Params: []Param{
			{Name: "malformed", Summary: "what becomes of a document that is not XML, or has a DOCTYPE: fail (the default), null (the column's NULL), or drop (nothing remains)", Type: "string"},
		},
		Samples: []Sample{{
			Spec: Spec{Name: "xml", Paths: []PathSpec{
				{Path: "/customer/name", Spec: Spec{Name: "shape", Variant: "text"}},
				{Path: "/customer/@id", Spec: Spec{Name: "pseudonym", Variant: "id"}},
				{Path: "*", Spec: Spec{Name: "drop"}},
			}},
			Column: Column{Kind: XML},
			Values: []string{`<customer id="7"><name>Mary Smith</name></customer>`, `<customer id="8"><note>call</note></customer>`, `<customer/>`},
		}},
	}
}

func (xmlFactory) Bind(req Request) (Binding, error) {
	d, err := bindDocument("xml", req, parseXMLPath, true)
	if err != nil {
		return Binding{}, err
	}
	d.b.Transform = &xmlTransform{document: d.document}
	return d.b, nil
}

// parseXMLPath returns the steps of a path.
func parseXMLPath(path string) (keys []pathKey, err error) {
	bad := func(reason string) ([]pathKey, error) {
		return nil, &BindError{Reason: fmt.Sprintf("the path %q %s", path, reason), Help: "write paths as /order/customer/name, /order/@id, /order/* or //email, and * for the rest"}
	}
	rest := path
	for rest != "" {
		if rest[0] != '/' {
			return bad("does not begin with /")
		}
		if rest = rest[1:]; strings.HasPrefix(rest, "/") {
			keys = append(keys, pathKey{step: toDeep})
			rest = rest[1:]
		}
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		name := rest[:end]
		rest = rest[end:]
		if strings.HasPrefix(name, "@") && rest != "" {
			return bad("goes on behind an attribute")
		}
		switch name {
		case "*":
			keys = append(keys, pathKey{step: toAny})
			continue
		case "@*":
			keys = append(keys, pathKey{step: toElement})
			continue
		}
		if plain := strings.TrimPrefix(name, "@"); plain == "" || xmlName([]byte(plain)) != len(plain) {
			return bad("has a name that is none in XML")
		}
		keys = append(keys, pathKey{member: name})
	}
	if keys == nil {
		return bad("leads nowhere")
	}
	return keys, nil
}

// xmlTransform masks documents of XML. It is immutable.
type xmlTransform struct{ document }

var xmlWalkers = sync.Pool{New: func() any { return new(xmlWalker) }}

func (t *xmlTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	w := xmlWalkers.Get().(*xmlWalker)
	defer w.free()
	w.t = t
	w.skeleton.reset(t.children)
	if err := t.walk(&w.skeleton, &values, "", w.document); err != nil {
		return nil, err
	}
	if err := w.mask(mem); err != nil {
		return nil, err
	}
	defer w.release()
	out, err := w.splice(mem, &values, "document", t.most, writeXML)
	if err != nil {
		return nil, err
	}
	return t.spelt(mem, &values, out, spellXML), nil
}

// The forms of a masked value.
const (
	xmlText uint8 = iota
	xmlAttribute
)

// writeXML is the splicer of XML.
func writeXML(out *textBuilder, h *hit, r *results, i int) {
	switch {
	case r.isNull(i):
	case r.kind == Text:
		v := r.texts.value(i)
		out.grow(xmlSize(v))
		out.buf = appendXML(out.buf, v, h.form == xmlAttribute)
	case r.kind == Bool:
		out.grow(len("false"))
		out.buf = strconv.AppendBool(out.buf, r.bools.Value(i))
	default:
		out.grow(r.most(i))
		out.buf = r.append(out.buf, i) // has nothing to escape
	}
}
