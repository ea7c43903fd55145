package main

// The people of the demo are made up: common given names with family names that
// are nobody's, so that what the checks find in the discovery database can only
// have come from the source. One list per script that real customers write in.
var demoPeople = []struct {
	given, family []string
	join          string // between the two
	surnameFirst  bool
}{
	{
		given: []string{"Anna", "Björn", "Chloé", "Dana", "Émile", "Fiona", "Gábor", "Hannah", "Iker", "Jana", "Kofi", "Lena", "Mateo", "Nora",
			"Óscar", "Paula", "Quentin", "Rosa", "Søren", "Tess", "Uwe", "Vera", "Wim", "Xenia", "Yusuf", "Zoë", "Mary Ann", "Jean-Luc"},
		family: []string{"Quillfeather", "Brackenmoor", "Tanglewick", "Østervindt", "Larkenspire", "Muddlebrook", "Fernhollower", "O'Wintermere",
			"Grünspechtl", "Van der Nevelstad", "Pebblethorne", "Świerszczak-Mały", "Dusthopper", "Nightinglade", "Copperwhistle", "Señaldez"},
		join: " ",
	},
	{
		given:  []string{"Анна", "Борис", "Вера", "Дмитрий", "Елена", "Игорь"},
		family: []string{"Лунотравова", "Ветрополянский", "Светлогорошко", "Тихобережная", "Чернильников"},
		join:   " ",
	},
	{
		given:  []string{"Ελένη", "Νίκος", "Σοφία", "Γιώργος"},
		family: []string{"Φεγγαροδρόμου", "Ανεμοσκάλας", "Θαλασσοπέτρης"},
		join:   " ",
	},
	{
		given:  []string{"ليلى", "يوسف", "مريم", "عمر"},
		family: []string{"القمرالبعيد", "الريحالهادئ", "بحرالسكون"},
		join:   " ",
	},
	{
		given:  []string{"נועה", "דוד", "תמר", "אורי"},
		family: []string{"ירחסתיו", "רוחשקטה", "אבןכחולה"},
		join:   " ",
	},
	{
		given:        []string{"月影", "静波", "青岚"},
		family:       []string{"墨溪", "竹雾", "霜汀"},
		surnameFirst: true,
	},
	{
		given:  []string{"Skye 🌦️", "Robin 🎈"},
		family: []string{"Emberglow", "Tidewhisper"},
		join:   " ",
	},
}

var (
	demoStreets   = []string{"Lantern Row", "Rue de l'Écluse", "Mühlenweg", "Calle del Olmo", "Kirsebærvej", "ул. Садовая", "شارع النخيل", "柳巷"}
	demoCities    = []string{"Norhaven", "Saint-Aubrac", "Tiefenau", "Villaclara", "Østerlund", "Светлогорск", "霧ヶ丘"}
	demoCountries = []string{"DE", "FR", "ES", "DK", "GB", "GR", "IL", "JP"}
	demoThings    = []string{"kettle", "lamp", "notebook", "umbrella", "chair", "mug", "blanket", "radio", "clock", "rucksack"}
	demoColours   = []string{"red", "green", "blue", "grey", "yellow", "white"}
	demoStates    = []string{"new", "paid", "shipped", "delivered", "returned"}
	demoPages     = []string{"/", "/search", "/basket", "/checkout", "/account"}
	demoReasons   = []string{"too small", "arrived broken, please call %s", "%s changed their mind", "wrong colour"}
)
