package policies

import (
	"bytes"
	_ "embed" // for the schema
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// schemaText is what schema writes; a test keeps it so.
//
//go:embed schema.json
var schemaText []byte

// Schema returns the JSON Schema (draft 2020-12) of the policy's language, for editors.
// It knows the fields, the words and the transforms. What it cannot know the reader
// finds: whether a class exists, what a base says, and whether a name is listed twice.
func Schema() []byte { return slices.Clone(schemaText) }

// SchemaFor returns the schema with the tables and columns of a catalog, with their
// types and the classes that the detector proposes. It takes names as the database
// spells them; the reader also takes others that differ in case alone.
func SchemaFor(c *catalog.Catalog) []byte {
	s := schema(masking.Standard())
	s.tables(c)
	return s.encode()
}

// node is a part of a JSON Schema.
type node = map[string]any

// schemaDraft is a schema on its way.
type schemaDraft struct {
	root, defs node
}

func (s *schemaDraft) encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s.root); err != nil {
		panic("policies: schema: " + err.Error()) // maps and texts always encode
	}
	return b.Bytes()
}

func ref(name string) node { return node{"$ref": "#/$defs/" + name} }

// about adds a description. A $ref may have one beside it in this draft.
func about(doc string, n node) node {
	n["description"] = doc
	return n
}

func texts(pattern string) node {
	if pattern == "" {
		return node{"type": "string", "minLength": 1}
	}
	return node{"type": "string", "pattern": pattern}
}

func enum(words ...string) node { return node{"enum": words} }

func listOf(items node) node { return node{"type": "array", "items": items, "maxItems": maxList} }

func setOf(items node) node {
	n := listOf(items)
	n["uniqueItems"] = true
	return n
}

func whole(least, most int64) node { return node{"type": "integer", "minimum": least, "maximum": most} }

// object is a mapping of these fields and no others.
func object(properties node, required ...string) node {
	n := node{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		n["required"] = required
	}
	return n
}

// mappingOf is a mapping of any names to what values says.
func mappingOf(names, values node) node {
	n := node{"type": "object", "additionalProperties": values}
	if names != nil {
		n["propertyNames"] = names
	}
	return n
}

func required(field string) node { return node{"required": []string{field}} }

// schema makes the schema of the language with the transforms of a registry.
func schema(reg *masking.Registry) *schemaDraft {
	date := texts(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	duration := texts(durationPattern)
	className := node{"type": "string", "pattern": wordPattern, "not": enum("keep", "drop")}
	s := &schemaDraft{defs: node{
		"class_name": className,
		"scalar":     node{"type": []string{"string", "number", "boolean"}},
		"value": node{"anyOf": []node{ref("scalar"), listOf(ref("scalar")),
			mappingOf(nil, ref("scalar"))}},
		"part": about("A class, keep or drop; or a class with a transform of its own and the reason.", node{"anyOf": []node{texts(""), ref("part_long")}}),
		"part_long": withReason(object(node{
			"class": texts(""), "do": ref("do"), "because": texts(""),
		}, "class")),
		"inner": about("What masks each element: a class, or a transform.", node{"anyOf": []node{
			{"type": "string", "minLength": 1, "not": enum("keep", "drop")}, ref("part_long"), ref("transform"),
		}}),
		"column":      about("What masks the column: a class, TODO, or the long form.", node{"anyOf": []node{ref("class_name"), {"const": todo}, ref("column_long")}}),
		"column_long": longColumn(),
		"rows":        rowsSchema(),
		"class": about("A sort of data, and what masks it.", object(node{
			"kind": about("What the audit asks of it.", enum(Kinds()...)),
			"do":   ref("do"),
			"doc":  about("What the class is for, in a sentence.", texts("")),
		}, "kind", "do")),
	}}
	s.transforms(reg)
	s.defs["table"] = about("What is copied of a table: drop is its structure without rows.", node{"anyOf": []node{{"const": "drop"}, object(node{
		"rows":    ref("rows"),
		"columns": about("The columns, each with its class.", mappingOf(nil, ref("column"))),
		"keep":    about("Columns whose values come along as they are.", setOf(texts(""))),
	})}})
	s.root = object(node{
		"version": about("Of the format.", node{"const": 1}),
		"policy": about("What the policy says of itself.", object(node{
			"name":        texts(""),
			"revision":    about("Of the content; bumped by every approved change.", node{"type": "integer", "minimum": 1}),
			"owner":       texts(""),
			"purpose":     texts(""),
			"legal_basis": texts(""),
			"dpia":        about("Where the data protection impact assessment is.", texts("")),
			"subjects":    about("Whose data it is.", setOf(texts(""))),
			"recipients":  about("Who gets the copy.", setOf(texts(""))),
			"profiles":    about("Which sets of rules the audit holds against it: gdpr, hipaa, pci.", setOf(texts(""))),
			"review":      object(node{"by": texts(""), "on": date, "expires": date}),
		})),
		"extends": about("Policies that this one builds on, pinned by their digests. It may add and strengthen; to weaken wants a waiver.",
			listOf(node{"type": "string", "pattern": extendPattern, "examples": pins()})),
		"defaults": about("What happens to what the policy does not name.", object(node{
			"unlisted_column": enum(defaultWords["unlisted_column"]...),
			"unlisted_table":  about("skip copies the structure alone.", enum(defaultWords["unlisted_table"]...)),
			"schema_drift":    about("warn lets harmless changes of the database pass.", enum(defaultWords["schema_drift"]...)),
		})),
		"keys": about("Where the key comes from. No key stands in a policy.", node{"type": "object", "minProperties": 1, "maxProperties": 1,
			"propertyNames": texts(wordPattern),
			"additionalProperties": object(node{
				"from": about("file:PATH, readable by its owner only; exec:COMMAND, run without a shell, which prints a key file; or ephemeral. ${NAME} is an environment variable.",
					node{"type": "string", "pattern": `^(file:.+|exec:.+|ephemeral)$`}),
				"scope":  about("First part of every domain; without it the key's name.", texts(wordPattern)),
				"rotate": about("When the owner wants a new key: 90d, 12w, 6m, 1y.", texts(rotatePattern)),
			}, "from")}),
		"classes": about("Sorts of data, and what masks them.", node{"type": "object", "propertyNames": ref("class_name"), "maxProperties": maxClasses,
			"properties":           node{Public: about("What keep lists record.", node{"allOf": []node{ref("class"), {"properties": node{"do": node{"const": "keep"}}}}})},
			"additionalProperties": ref("class")}),
		"tables": about("The tables, as schema.table; the default schema may be left out.", mappingOf(nil, ref("table"))),
		"links": about("Relations that the database does not declare: columns that hold the same values. One of another database is engine:database.table.column.",
			listOf(node{"type": "array", "minItems": 2, "items": texts(`\.`), "contains": node{"not": texts(`^[a-z][a-z0-9_-]{0,31}:`)}})),
		"risk": about("How often a combination of quasi-identifiers occurs at least.", node{"type": "array", "maxItems": maxRisk, "items": object(node{
			"table": texts(""), "quasi": func() node { n := setOf(texts("")); n["minItems"] = 1; return n }(), "k": whole(2, mostK),
		}, riskFields...)}),
		"edge_cases": about("Sorts of values that the copy must still have.", object(node{
			"keep": setOf(enum(EdgeKinds()...)), "per_column": whole(1, mostPerColumn),
		})),
		"environments": about("Bounds of the discovery databases that are made by the policy.", object(node{
			"ttl": about("How long one lives: 24h, 7d, 2w.", duration), "max_ttl": duration, "max_per_owner": whole(1, mostPerOwner),
			"hosts": about("Where a target may be; * stands for any characters but a dot.", func() node { n := setOf(texts(hostPattern)); n["minItems"] = 1; return n }()),
		})),
		"waivers": about("Findings of the audit that somebody has accepted.", listOf(func() node {
			n := object(node{
				"rule": texts(rulePattern), "at": about("table.column, a table, a class; without it the policy as a whole, save for SAN-P08.", texts("")),
				"because": texts(""), "by": texts(""), "expires": about("The last day.", date),
			}, "rule", "because", "by", "expires")
			n["if"] = node{"required": []string{"rule"}, "properties": node{"rule": node{"const": ruleWeakening}}}
			n["then"] = node{"required": []string{"at"}}
			return n
		}())),
	}, "version")
	// Without keys, tables and links it is a policy that others build on.
	s.root["if"] = node{"anyOf": []node{required("keys"), required("tables"), required("links")}}
	s.root["then"] = node{"required": []string{"keys", "tables"}}
	s.root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s.root["$id"] = "urn:sanitize-db:policy:1"
	s.root["title"] = "A policy of sanitize"
	s.root["$defs"] = s.defs
	return s
}

func pins() (all []string) {
	for _, name := range Builtins() {
		all = append(all, Pin(name))
	}
	return all
}

// withReason says that a transform of one's own wants a reason.
func withReason(n node) node {
	n["dependentRequired"] = node{"do": []string{"because"}}
	return n
}

func longColumn() node {
	n := withReason(object(node{
		"class":     about("The class that the column is of.", node{"anyOf": []node{ref("class_name"), {"const": todo}}}),
		"do":        ref("do"),
		"because":   about("Why the column deviates from its class.", texts("")),
		"key":       about("The key that masks it.", texts(wordPattern)),
		"each":      ref("inner"),
		"malformed": about("What becomes of a text that is no document.", ref("value")),
		"json":      ref("json_paths"),
		"xml":       ref("xml_paths"),
		"fields":    ref("fields_paths"),
	}))
	parts := append([]string{"do", "each"}, documents...)
	var parted, one []node
	for _, p := range parts {
		parted = append(parted, required(p))
		if p == "do" {
			one = append(one, node{"required": []string{"class", "do"}})
		} else {
			one = append(one, required(p))
		}
	}
	n["oneOf"] = append(one, node{"required": []string{"class"}, "not": node{"anyOf": parted}})
	n["if"], n["then"] = required("malformed"), node{"anyOf": []node{required("json"), required("xml")}}
	return n
}

func rowsSchema() node {
	n := object(node{
		"where": about("A condition in the source's SQL.", texts("")),
		"limit": about("At most so many rows, those of the least hashes of the key.", whole(1, 1<<53)),
		"sample": about("The part of the rows that a keyed hash chooses: 20%, or 0.2.", node{"anyOf": []node{
			texts(samplePattern), {"type": "number", "exclusiveMinimum": 0, "maximum": 1}}}),
	})
	n["minProperties"] = 1
	return about("Which rows are copied; without it all.", n)
}

// transforms defines `do` by what the registry says of each transform.
func (s *schemaDraft) transforms(reg *masking.Registry) {
	words := enum("keep", "drop", deriveWord)
	words["description"] = "keep leaves the value; drop takes a path away; derive lets the copy's own trigger compute a column anew."
	var refs []node
	for _, name := range reg.Names() {
		d := reg.Factory(name).Describe()
		properties, required := node{}, []string{name}
		for _, p := range d.Params {
			properties[p.Name] = about(p.Summary, paramSchema(p.Type))
			if p.Required {
				required = append(required, p.Name)
			}
		}
		properties[name] = s.variant(d)
		def := "do_" + name
		s.defs[def] = about(d.Summary, object(properties, required...))
		refs = append(refs, ref(def))
	}
	s.defs["transform"] = node{"anyOf": refs}
	s.defs["do"] = about("What masks a value.", node{"anyOf": []node{words, ref("transform"), ref("do_" + deriveWord)}})
	s.defs["do_"+deriveWord] = about("Lets a trigger of the copy compute the column anew.", object(node{
		deriveWord: about("The trigger that fills the column.", texts("")),
	}, deriveWord))
	for _, language := range documents {
		paths := mappingOf(nil, ref("part"))
		if language != "fields" {
			paths["required"] = []string{"*"}
		}
		if language == "json" {
			paths["propertyNames"] = texts(`^(\*$|\$)`)
		}
		s.defs[language+"_paths"] = about("What masks each part; * is everything else.", paths)
	}
}

// variant says what may stand at a transform's own key.
func (s *schemaDraft) variant(d masking.Description) node {
	switch {
	case slices.Contains(documents, d.Name):
		return ref(d.Name + "_paths")
	case d.Name == "each":
		return ref("inner")
	}
	var plain []string
	var ways []node
	for _, v := range d.Variants {
		if slices.Contains(d.Named, v) {
			ways = append(ways, object(node{v: texts("")}, v))
		} else {
			plain = append(plain, v)
		}
	}
	switch {
	case len(ways) > 0:
		return node{"anyOf": append([]node{enum(plain...)}, ways...)}
	case len(plain) > 0:
		return enum(plain...)
	}
	n := ref("value")
	if d.Value != "" {
		n["description"] = "It is " + d.Value + "."
	}
	var examples []any
	for _, sample := range d.Samples {
		if v := sample.Spec.Variant; v != nil && !slices.ContainsFunc(examples, func(e any) bool { return spell(e) == spell(v) }) {
			examples = append(examples, v)
		}
	}
	if examples != nil {
		n["examples"] = examples
	}
	return n
}

// paramSchema is what a type of masking.Param takes.
func paramSchema(kind string) node {
	switch kind {
	case "int":
		return node{"type": "integer"}
	case "float":
		return node{"type": "number"}
	case "string", "column":
		return node{"type": "string"}
	case "bool":
		return node{"type": "boolean"}
	case "bool or string":
		return node{"type": []string{"boolean", "string"}}
	case "list":
		return listOf(ref("scalar"))
	case "map":
		return mappingOf(nil, ref("scalar"))
	}
	panic("policies: a parameter of type " + kind) // masking knows no other
}

// tables puts the tables of a catalog in the place of any.
func (s *schemaDraft) tables(c *catalog.Catalog) {
	guesser := newGuesser(c)
	properties := node{}
	for _, t := range c.Tables {
		columns, names := node{}, []string{}
		for i := range t.Columns {
			col := &t.Columns[i]
			if col.Generation.Computed() {
				continue // there is nothing to decide
			}
			words, proposed := columnDoc(c, t, col, guesser.guess(t, col).class)
			n := about(words, ref("column"))
			if proposed != "" {
				n["default"] = proposed
			}
			columns[col.Name], names = n, append(names, col.Name)
		}
		keep := node{"type": "array", "maxItems": 0}
		if len(names) > 0 {
			keep = setOf(enum(names...))
		}
		def := "table " + t.ID.String()
		s.defs[def] = about(fmt.Sprintf("%s, a %s of %d columns.", t.ID, tableWord(t), len(t.Columns)), node{"anyOf": []node{{"const": "drop"}, object(node{
			"rows": ref("rows"), "columns": object(columns), "keep": about("Columns whose values come along as they are.", keep),
		})}})
		for _, name := range []string{c.Display(t.ID), t.ID.String()} {
			properties[name] = ref(pointer(def))
		}
	}
	tables := s.root["properties"].(node)["tables"].(node)
	tables["properties"], tables["additionalProperties"] = properties, false
	var classes []node
	for _, class := range standardClasses {
		classes = append(classes, node{"const": class.Name, "description": fmt.Sprintf("%s, {kind: %s, do: %s}", class.Name, class.Kind, class.Do)})
	}
	s.defs["class_name"] = node{"anyOf": append(classes, s.defs["class_name"].(node))}
}

// pointer spells a name as a part of a URI's JSON pointer.
func pointer(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c == '~':
			b.WriteString("~0")
		case c == '/':
			b.WriteString("~1")
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func tableWord(t *catalog.Table) string {
	if t.Kind == "" {
		return "table"
	}
	return string(t.Kind)
}

// columnDoc says what a column is, and which class it may be of.
func columnDoc(c *catalog.Catalog, t *catalog.Table, col *catalog.Column, class string) (doc, proposed string) {
	words := []string{col.Type.Name}
	if col.NotNull {
		words = append(words, "not null")
	}
	if t.PrimaryKey != nil && slices.Contains(t.PrimaryKey.Columns, col.Name) {
		words = append(words, "primary key")
	}
	doc = strings.Join(words, ", ") + "."
	for _, fk := range t.ForeignKeys {
		for _, p := range fk.Pairs {
			if p.Column == col.Name {
				return fmt.Sprintf("%s It references %s.%s, and needs no line: it inherits the class.", doc, c.Display(fk.References), p.References), ""
			}
		}
	}
	switch class {
	case "":
		return doc, ""
	case Public:
		return doc + " By its name it is nothing personal: keep would do.", ""
	}
	return doc + " By its name it may be " + class + ".", class
}
