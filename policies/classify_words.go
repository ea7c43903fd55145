package policies

import (
	"slices"
	"strings"
)

// The detector reads names in one language: each word that it knows, in whatever
// language and abbreviation, stands for a word of plain English, and the rules are
// about those. lexicon is the dictionary: a language, then word=meaning. A meaning of
// several words is joined by dots. A word after ? means something else in English, or
// in another language, and counts only in tables where two other words are of its own.
const lexicon = `
en gndr=delicate nicename=username prefecture=city canton=city natnlty=delicate ntnlty=delicate occupatn=job occ=job emplr=company cntry=country ctry=country resume=resume cv=resume remittance=note purpose=reason cntrpty=counterparty counterparty=person embossed=person pep=delicate hashed=hash tva=vat btw=vat mwst=vat ust=vat iva=vat info=info
de haus=house zusatz=addition adress=address adressen=address geb=birth geburts=birth dat=date sv=social wunsch=wish lebenslauf=resume anschreiben=note bescheinigung=certificate strassen=street wohn=home lohnart=type
es direcciones=address nacido=birth
ru pasporta=governmentid ?pol=delicate
en fname=firstname forename=firstname givenname=firstname givennames=firstname firstname=firstname middlename=firstname mname=firstname christianname=firstname firstnm=firstname forenames=firstname initials=fullname
en lname=lastname surname=lastname familyname=lastname lastname=lastname lastnm=lastname maidenname=lastname surnames=lastname
en fullname=fullname displayname=fullname nickname=fullname contactname=fullname cardholder=fullname cardholdername=fullname personname=fullname composer=fullname realname=fullname nick=fullname signatory=fullname assignee=fullname attendee=fullname beneficiary=fullname payee=fullname holder=holder
en mail=email emails=email mailaddress=email emailaddress=email emailaddr=email emailid=email eml=email mailto=email mailbox=email
en phones=phone telephone=phone tel=phone mobile=phone cell=phone cellphone=phone fax=phone msisdn=phone phonenumber=phone phoneno=phone mobilephone=phone whatsapp=phone telno=phone mob=phone telefax=phone landline=phone pager=phone ph=phone telnr=phone phonenum=phone
en card=cardword ccnumber=card creditcard=card cardnumber=card cardno=card ccnum=card pan=card ccno=card cardnum=card debitcard=card
en ibannumber=iban
en socialsecurity=ssn ssn4=ssn
en accountnumber=bankaccount accountno=bankaccount acctno=bankaccount acctnum=bankaccount accno=bankaccount bic=bankaccount swift=bankaccount sortcode=bankaccount routing=bankaccount acct=account acc=account aba=bankaccount
en nin=governmentid nino=governmentid passport=governmentid taxid=governmentid vatid=governmentid nationalid=governmentid tin=governmentid ein=governmentid itin=governmentid passportno=governmentid npi=governmentid nid=governmentid aadhaar=governmentid aadhar=governmentid plate=governmentid licenseplate=governmentid numberplate=governmentid vatno=governmentid nhs=governmentid licence=license taxno=governmentid eori=governmentid medicare=governmentid visa=visa greencard=governmentid dl=license
en dob=birth birthday=birth birthdate=birth born=birth dateofbirth=birth bday=birth birthdt=birth dobirth=birth birthyear=birthyear yob=birthyear yearofbirth=birthyear age=age
en gender=delicate sex=delicate religion=delicate ethnicity=delicate ethnic=delicate race=race nationality=delicate diagnosis=delicate diagnoses=delicate disability=delicate allergy=delicate allergies=delicate medication=delicate medications=delicate pregnant=delicate pregnancy=delicate biometric=delicate fingerprint=delicate genetic=delicate orientation=orientation bloodtype=delicate bloodgroup=delicate marital=delicate deceased=delicate death=delicate disease=delicate illness=delicate symptom=delicate symptoms=delicate icd=delicate icd10=delicate hiv=delicate union=union religious=delicate denomination=delicate smoker=delicate vaccination=delicate vaccine=delicate disabled=disabled handicap=delicate citizenship=delicate conviction=delicate felony=delicate criminal=delicate pronouns=delicate pronoun=delicate veteran=delicate bmi=delicate therapy=delicate treatment=delicate prognosis=delicate donor=donor drug=drug dosage=delicate dose=delicate salutation=delicate courtesy=delicate honorific=delicate complaint=complaint political=delicate party=party caste=delicate immigration=delicate faith=delicate
en passwd=password pwd=password passphrase=password passcode=password pass=pass otp=secret totp=secret mfa=secret salt=secret credential=secret credentials=secret cvv=secret cvc=secret cvv2=secret privatekey=secret passwordhash=password apikey=secret secretkey=secret pswd=password pin=pin accesstoken=token refreshtoken=token jwt=token bearer=token nonce=secret webhooksecret=secret keyhash=secret
en login=username userid=username handle=username screenname=username loginname=username usr=user uname=username logon=username userlogin=username skype=username twitter=username instagram=username facebook=username telegram=username linkedin=url github=username username=username
en ipaddress=ip ipaddr=ip ipv4=ip ipv6=ip macaddress=mac macaddr=mac useragent=useragent ua=useragent hostname=hostname fqdn=hostname
en imei=deviceid imsi=deviceid iccid=deviceid idfa=deviceid gaid=deviceid vin=deviceid udid=deviceid deviceid=deviceid advertisingid=deviceid serialno=serial
en zip=postcode zipcode=postcode postalcode=postcode postal=postal pincode=postcode eircode=postcode zip4=postcode
en town=city cityname=city suburb=city county=city village=city neighborhood=city neighbourhood=city municipality=city district=city locality=city birthplace=city hometown=city
en latitude=coordinates longitude=coordinates lat=coordinates lng=coordinates lon=coordinates latlng=coordinates geo=coordinates geom=coordinates geolocation=coordinates gps=coordinates coordinate=coordinates coords=coordinates latlon=coordinates geopoint=coordinates
en addr=address address1=address streetname=street housenumber=street houseno=street addressline=address apartment=street apt=street str=street line1=address line2=address residence=address
en employer=company organisation=organization org=organization companyname=company firm=company
en jobtitle=job occupation=job profession=job designation=job
en salary=salary wage=salary wages=salary income=salary payroll=salary compensation=salary netpay=salary grosspay=salary paygrade=salary hourlyrate=salary basesalary=salary
en website=url homepage=url blog=url
en picture=picture photo=picture avatar=picture image=picture portrait=picture selfie=picture scan=picture photograph=picture headshot=picture img=picture
en notes=note comments=comment remarks=remark messages=message bio=biography memo=note annotation=note desc=description descr=description msg=message txt=text summary=summary narrative=note observations=note
en num=number nbr=number no=number nr=number id=id uid=uuid ids=id guid=uuid nm=name dt=date ts=timestamp cd=code cust=customer emp=employee usrname=username mgr=manager dept=department qty=quantity amt=amount
de vorname=firstname vornamen=firstname rufname=firstname zweitname=firstname vname=firstname nachname=lastname familienname=lastname zuname=lastname geburtsname=lastname madchenname=lastname nname=lastname namenszusatz=lastname
de telefon=phone handy=phone mobil=phone mobilnummer=phone rufnummer=phone telefonnummer=phone handynummer=phone festnetz=phone telefonnr=phone durchwahl=phone mobiltelefon=phone
de anschrift=address adresse=address adressen=address strasse=street hausnummer=street hausnr=street hnr=street adresszusatz=street wohnort=city ort=city stadt=city gemeinde=city ortsteil=city landkreis=city bundesland=city wohnsitz=address postleitzahl=postcode plz=postcode postanschrift=address lieferanschrift=address
de geburtsdatum=birth gebdat=birth gebdatum=birth geburtstag=birth geboren=birth geburtsort=birthplace geburtsland=country geburtsjahr=birthyear gebjahr=birthyear ?alter=age
de geschlecht=delicate staatsangehorigkeit=delicate staatsangehoerigkeit=delicate familienstand=delicate konfession=delicate religionszugehorigkeit=delicate schwerbehindert=delicate schwerbehinderung=delicate behinderung=delicate krankheit=delicate diagnose=delicate krank=delicate krankheitstage=delicate blutgruppe=delicate anrede=delicate allergie=delicate allergien=delicate gewerkschaft=delicate nationalitat=delicate nationalitaet=delicate kirchensteuer=delicate krankenkasse=delicate befund=delicate schwanger=delicate
de kontonummer=bankaccount konto=account bankverbindung=bankaccount blz=bankaccount bankleitzahl=bankaccount kontoinhaber=fullname ktonr=bankaccount kontonr=bankaccount kreditkarte=card kartennummer=card kartennr=card karteninhaber=fullname
de steuernummer=governmentid steuerid=governmentid steueridnr=governmentid steuer=tax ausweis=governmentid ausweisnummer=governmentid personalausweis=governmentid reisepass=governmentid passnummer=governmentid fuhrerschein=governmentid fuehrerschein=governmentid ustid=governmentid ustidnr=governmentid sozialversicherungsnummer=ssn svnr=ssn svnummer=ssn rentenversicherungsnummer=ssn kennzeichen=plate versichertennummer=governmentid krankenversicherungsnummer=governmentid fahrgestellnummer=deviceid
de passwort=password kennwort=password losungswort=password benutzer=user benutzername=username anmeldename=username nutzer=user nutzername=username benutzerkennung=username
de firma=company unternehmen=company firmenname=company arbeitgeber=company beruf=job berufsbezeichnung=job ?stelle=job position=position tatigkeit=job taetigkeit=job ?funktion=job gehalt=salary bruttogehalt=salary nettogehalt=salary lohn=salary einkommen=salary bruttolohn=salary stundenlohn=salary grundgehalt=salary jahresgehalt=salary ?bonus=bonus
de bemerkung=remark bemerkungen=remark notiz=note notizen=note kommentar=comment anmerkung=remark beschreibung=description ?hinweis=note freitext=note nachricht=message begrundung=reason begruendung=reason bild=picture foto=picture unterschrift=signature lichtbild=picture
de kunde=customer kunden=customer kundin=customer mitarbeiter=employee mitarbeiterin=employee arbeitnehmer=employee angestellte=employee ?personal=employee personen=person patienten=patient lieferant=supplier lieferanten=supplier fahrer=driver schuler=student schueler=student studenten=student lehrer=teacher mitglied=member mitglieder=member ansprechpartner=contact kontakt=contact empfanger=recipient empfaenger=recipient absender=sender vorgesetzter=manager arzt=physician benutzern=user bearbeiter=employee sachbearbeiter=employee ehepartner=person ?kind=kind ?kinder=person bewerber=applicant versicherter=person
de nummer=number kundennummer=customer.number kundennr=customer.number kdnr=customer.number personalnummer=employee.number personalnr=employee.number pernr=employee.number mitarbeiternummer=employee.number mitgliedsnummer=member.number datum=date betrag=amount preis=price menge=quantity anzahl=count typ=type ?art=type zustand=status ?land=country wahrung=currency waehrung=currency sprache=language aktiv=active erstellt=created geandert=updated geaendert=updated bezeichnung=label titel=title abteilung=department eintritt=date austritt=date gultig=valid gueltig=valid kennung=code artikel=product bestellung=order bestellungen=order rechnung=invoice rechnungen=invoice lieferung=delivery stunden=hour jahr=year monat=month ?tag=day steuerklasse=delicate kurzel=code kuerzel=code ?gruppe=group
fr prenom=firstname prenoms=firstname nom=name nomfamille=lastname nomusage=lastname patronyme=lastname courriel=email ?mel=email telephone=phone ?portable=phone gsm=phone numtel=phone
fr adresse=address rue=street voie=street ?cp=postcode codepostal=postcode ville=city commune=city departement=city localite=city quartier=city batiment=street
fr naissance=birth datenaissance=birth ddn=birth datnais=birth sexe=delicate civilite=delicate nationalite=delicate situationfamiliale=delicate matrimoniale=delicate handicap=delicate maladie=delicate groupesanguin=delicate allergies=delicate religion=delicate grossesse=delicate
fr compte=account rib=bankaccount cb=card titulaire=fullname nir=ssn numsecu=ssn secu=ssn siret=governmentid siren=governmentid passeport=governmentid ?permis=license immatriculation=plate cni=governmentid
fr motdepasse=password mdp=password utilisateur=user utilisateurs=user identifiant=username pseudo=username
fr societe=company entreprise=company employeur=company ?poste=job metier=job ?fonction=job emploi=job salaire=salary revenu=salary revenus=salary remuneration=salary
fr remarque=remark remarques=remark commentaire=comment commentaires=comment ?observation=note observations=note ?motif=reason texte=text contenu=text avis=comment
fr client=customer clients=customer salarie=employee salaries=employee employe=employee employes=employee personne=person eleve=student etudiant=student enseignant=teacher medecin=physician adherent=member fournisseur=supplier destinataire=recipient expediteur=sender conducteur=driver beneficiaire=recipient abonne=subscriber abonnes=subscriber auteur=author
fr numero=number montant=amount prix=price quantite=quantity statut=status etat=status pays=country langue=language devise=currency actif=active libelle=label titre=title commande=order commandes=order facture=invoice factures=invoice nb=count annee=year mois=month jour=day heure=hour creation=created livraison=delivery facturation=billing produit=product produits=product debut=start ?fin=end
es nombre=name nombres=firstname apellido=lastname apellidos=lastname apellido1=lastname apellido2=lastname correo=email telefono=phone celular=phone movil=phone telf=phone
es direccion=address domicilio=address calle=street codigopostal=postcode ciudad=city municipio=city localidad=city colonia=city barrio=city poblacion=city
es nacimiento=birth fnacimiento=birth fecnac=birth edad=age sexo=delicate genero=delicate nacionalidad=delicate civil=civil discapacidad=delicate enfermedad=delicate alergia=delicate alergias=delicate diagnostico=delicate etnia=delicate embarazo=delicate
es cuenta=account clabe=bankaccount cbu=bankaccount tarjeta=cardword titular=fullname dni=governmentid nif=governmentid nie=governmentid cif=governmentid rfc=governmentid curp=governmentid cedula=governmentid pasaporte=governmentid rut=governmentid matricula=plate nss=ssn documento=documentword
es contrasena=password ?clave=password usuario=user usuarios=user empresa=company empleador=company puesto=job ?cargo=job profesion=job ocupacion=job salario=salary sueldo=salary ingresos=salary nomina=salary
es observaciones=note observacion=note comentario=comment comentarios=comment ?nota=note notas=note mensaje=message descripcion=description motivo=reason imagen=picture fotografia=picture
es cliente=customer clientes=customer empleado=employee empleados=employee persona=person personas=person paciente=patient pacientes=patient alumno=student alumnos=student estudiante=student profesor=teacher proveedor=supplier destinatario=recipient remitente=sender socio=member socios=member medico=physician autor=author tutor=teacher lector=person
es fecha=date numero=number importe=amount precio=price cantidad=quantity estado=status estatus=status pais=country idioma=language moneda=currency activo=active titulo=title tipo=type codigo=code pedido=order pedidos=order factura=invoice facturas=invoice producto=product productos=product ano=year mes=month ?hora=hour creado=created
it nome=name cognome=lastname nominativo=fullname cellulare=phone elettronica=electronic electronico=electronic electronique=electronic eletronico=electronic posta=post indirizzo=address residenza=address ?via=street civico=street ?cap=postcode citta=city comune=city ?provincia=province localita=city frazione=city
it nascita=birth datanascita=birth eta=age sesso=delicate cittadinanza=delicate nazionalita=delicate malattia=delicate gravidanza=delicate
it conto=account carta=cardword intestatario=fullname fiscale=fiscal codicefiscale=governmentid codfisc=governmentid piva=governmentid partita=partita ?iva=vat passaporto=governmentid ?patente=license targa=plate identita=identity identidad=identity identite=identity identidade=identity
it utente=user utenti=user azienda=company ditta=company ragionesociale=company mansione=job professione=job qualifica=job stipendio=salary reddito=salary retribuzione=salary
it commento=comment commenti=comment messaggio=message descrizione=description osservazioni=note immagine=picture
it clienti=customer dipendente=employee dipendenti=employee impiegato=employee paziente=patient pazienti=patient studente=student studenti=student docente=teacher docenti=teacher insegnante=teacher fornitore=supplier fornitori=supplier mittente=sender ?medici=physician ?autore=author conducente=driver
it data=date numero=number importo=amount prezzo=price quantita=quantity stato=status paese=country lingua=language valuta=currency attivo=active titolo=title codice=code cod=code ordine=order ordini=order fattura=invoice fatture=invoice prodotto=product prodotti=product anno=year mese=month ?ora=hour
pt nome=name sobrenome=lastname ?apelido=lastname telefone=phone telemovel=phone fone=phone endereco=address logradouro=street morada=address rua=street cep=postcode bairro=city cidade=city ?uf=city ?concelho=city distrito=city
pt nascimento=birth datanascimento=birth dtnasc=birth idade=age sexo=delicate nacionalidade=delicate raca=delicate deficiencia=delicate doenca=delicate estadocivil=delicate
pt conta=account cartao=cardword cpf=governmentid cnpj=governmentid ?rg=governmentid ?nif=governmentid ?pis=governmentid cnh=license passaporte=governmentid placa=plate nib=bankaccount pix=bankaccount
pt senha=password usuario=user usuarios=user utilizador=user utilizadores=user empresa=company profissao=job ?cargo=job ocupacao=job salario=salary renda=salary rendimento=salary
pt observacao=note observacoes=note mensagem=message descricao=description comentario=comment imagem=picture assinatura=signature
pt clientes=customer funcionario=employee funcionarios=employee pessoa=person pessoas=person aluno=student alunos=student professor=teacher fornecedor=supplier fornecedores=supplier motorista=driver responsavel=person remetente=sender ?mae=person ?pai=person
pt numero=number valor=amount preco=price quantidade=quantity situacao=status lingua=language moeda=currency ativo=active pedido=order fatura=invoice produto=product produtos=product
nl voornaam=firstname voornamen=firstname voorletters=firstname roepnaam=firstname achternaam=lastname tussenvoegsel=lastname geslachtsnaam=lastname naam=name telefoon=phone telefoonnummer=phone mobiel=phone
nl adres=address straat=street straatnaam=street huisnummer=street huisnr=street toevoeging=street woonplaats=city plaats=city ?stad=city gemeente=city plaatsnaam=city
nl geboortedatum=birth gebdatum=birth geboorte=birth geboorteplaats=birthplace leeftijd=age geslacht=delicate nationaliteit=delicate burgerlijke=delicate ziekte=delicate allergieen=delicate geloof=delicate
nl rekening=account rekeningnummer=bankaccount bsn=governmentid burgerservicenummer=governmentid paspoort=governmentid rijbewijs=license kenteken=plate btwnummer=governmentid kaartnummer=card
nl wachtwoord=password gebruiker=user gebruikers=user gebruikersnaam=username bedrijf=company bedrijfsnaam=company werkgever=company beroep=job ?functie=job salaris=salary loon=salary inkomen=salary
nl opmerking=remark opmerkingen=remark notitie=note omschrijving=description toelichting=note bericht=message afbeelding=picture handtekening=signature
nl klant=customer klanten=customer medewerker=employee medewerkers=employee werknemer=employee personeel=employee persoon=person personen=person leerling=student docent=teacher leverancier=supplier chauffeur=driver ontvanger=recipient afzender=sender ?lid=member ?leden=member klantnummer=customer.number personeelsnummer=employee.number
nl nummer=number bedrag=amount prijs=price aantal=count ?soort=type taal=language ?land=country actief=active bestelling=order factuur=invoice jaar=year maand=month ?dag=day
pl imie=firstname imiona=firstname nazwisko=lastname telefon=phone komorka=phone ?kom=phone komorkowy=phone ulica=street nrdomu=street adres=address zamieszkania=address zameldowania=address pocztowy=postal kodpocztowy=postcode poczta=post miasto=city miejscowosc=city gmina=city powiat=city wojewodztwo=city
pl urodzenia=birth urodzin=birth dataurodzenia=birth wiek=age plec=delicate obywatelstwo=delicate narodowosc=delicate stancywilny=delicate cywilny=delicate choroba=delicate niepelnosprawnosc=delicate wyznanie=delicate
pl konto=account konta=account rachunek=account rachunku=account pesel=governmentid nip=governmentid regon=governmentid dowod=governmentid paszport=governmentid paszportu=governmentid rejestracyjny=plate prawajazdy=license jazdy=license karty=cardword
pl haslo=password uzytkownik=user uzytkownicy=user nazwauzytkownika=username pracodawca=company stanowisko=job zawod=job pensja=salary wynagrodzenie=salary dochod=salary zarobki=salary
pl uwagi=note uwaga=note notatka=note notatki=note opis=description komentarz=comment wiadomosc=message tresc=text zdjecie=picture podpis=signature
pl klient=customer klienci=customer klienta=customer pracownik=employee pracownicy=employee pracownika=employee osoba=person osoby=person pacjent=patient pacjenci=patient ?student=student nauczyciel=teacher kierowca=driver kierowcy=driver dostawca=supplier odbiorca=recipient nadawca=sender lekarz=physician
pl numer=number nazwa=name kwota=amount cena=price ilosc=quantity liczba=count rodzaj=type kraj=country jezyk=language waluta=currency aktywny=active kod=code kategoria=category zamowienie=order zamowienia=order faktura=invoice faktury=invoice rok=year miesiac=month dzien=day
tr ?ad=name ?adi=name isim=name ismi=name soyad=lastname soyadi=lastname adsoyad=fullname telefonu=phone cep=phone ceptel=phone eposta=email adresi=address sokak=street cadde=street mahalle=city mah=city ilce=city ?il=city sehir=city kodu=code postakodu=postcode
tr dogum=birth dogumtarihi=birth ?yas=age cinsiyet=delicate uyruk=delicate medeni=delicate hastalik=delicate ?engel=delicate ?kan=blood
tr hesap=account hesapno=bankaccount tckn=governmentid tckimlik=governmentid kimlik=identity tcno=governmentid vkn=governmentid vergi=tax pasaport=governmentid plaka=plate ehliyet=license
tr sifre=password parola=password kullanici=user kullaniciadi=username sirket=company unvan=company meslek=job maas=salary ?ucret=salary gelir=salary
tr aciklama=description notlar=note yorum=comment mesaj=message resim=picture fotograf=picture imza=signature
tr musteri=customer musteriler=customer calisan=employee personel=employee kisi=person kisiler=person ?hasta=patient hastalar=patient ogrenci=student ogretmen=teacher tedarikci=supplier surucu=driver ?alici=recipient gonderici=sender uye=member uyeler=member
tr tarih=date tarihi=date numara=number numarasi=number tutar=amount fiyat=price miktar=quantity adet=count durum=status ulke=country ?dil=language aktif=active kayit=created siparis=order fatura=invoice urun=product yil=year ?ay=month ?gun=day
ru imya=firstname familiya=lastname otchestvo=firstname fio=fullname telefon=phone pochta=email adres=address ulitsa=street ulica=street ?dom=house kvartira=street ?indeks=postcode gorod=city oblast=city rayon=city rozhdeniya=birth rozhdenia=birth datarozhdeniya=birth vozrast=age grazhdanstvo=delicate natsionalnost=delicate schet=account ?inn=governmentid snils=ssn pasport=governmentid voditelskoe=license
ru parol=password polzovatel=user kompaniya=company organizatsiya=company dolzhnost=job professiya=job zarplata=salary oklad=salary dokhod=salary primechanie=note kommentariy=comment opisanie=description soobshchenie=message
ru klienty=customer sotrudnik=employee sotrudniki=employee pacient=patient patsient=patient pokupatel=customer voditel=driver vrach=physician nomer=number summa=amount tsena=price kolichestvo=quantity ?status=status strana=country yazyk=language valyuta=currency zakaz=order ?god=year
`

// phrases are pairs of plain words that mean one thing, in either order.
const phrases = `user.pass=password login.pass=password member.pass=password activation.key=secret activation.code=secret reset.key=secret confirmation.token=secret f.name=firstname l.name=lastname m.name=firstname house.addition=street address.addition=address social.number=ssn cardword.last=card hash.key=secret key.hash=secret
first.name=firstname given.name=firstname middle.name=firstname fore.name=firstname christian.name=firstname
last.name=lastname family.name=lastname maiden.name=lastname sur.name=lastname birth.name=lastname second.name=lastname former.name=lastname
full.name=fullname display.name=fullname contact.name=fullname nick.name=fullname account.holder=fullname cardword.holder=fullname id.cardword=governmentid debit.cardword=card card.holder=fullname
preferred.name=fullname real.name=fullname legal.name=fullname policy.holder=fullname alias.name=fullname name.complete=fullname name.completo=fullname
e.mail=email e.post=email post.electronic=email address.electronic=email mailing.address=address
zip.code=postcode postal.code=postcode post.code=postcode code.postal=postcode pin.code=pincode
user.name=username login.name=username screen.name=username user.login=username user.handle=username name.username=username
api.key=secret private.key=secret access.key=secret session.key=secret secret.key=secret pass.word=password pass.hash=password signing.key=secret encryption.key=secret recovery.code=secret backup.code=secret backup.codes=secret recovery.codes=secret security.code=secret security.answer=secret verification.code=secret gate.code=secret door.code=secret access.code=secret session.id=secret reset.code=secret auth.code=secret license.key=secret mot.passe=password session.data=secret
national.id=governmentid tax.id=governmentid tax.number=governmentid vat.number=governmentid vat.id=governmentid passport.number=governmentid driver.license=governmentid
driving.license=governmentid license.number=governmentid license.plate=governmentid fiscal.code=governmentid fiscal.number=governmentid identity.number=governmentid identity.cardword=governmentid identity.documentword=governmentid
number.documentword=governmentid number.plate=governmentid plate.number=governmentid registration.plate=governmentid vat.partita=governmentid number.nhs=governmentid government.id=governmentid identity.document=governmentid registration.number=governmentid visa.number=governmentid insurance.number=ssn medicare.number=governmentid
device.id=deviceid serial.number=deviceid device.token=secret push.token=secret device.identifier=deviceid advertising.id=deviceid chassis.number=deviceid hardware.id=deviceid installation.id=deviceid client.fingerprint=deviceid browser.fingerprint=deviceid device.fingerprint=deviceid
number.cardword=card cardword.credit=card credit.cardword=card
social.security=ssn sociale.secu=ssn
account.number=bankaccount number.account=bankaccount bank.account=bankaccount routing.number=bankaccount sort.code=bankaccount bank.number=bankaccount account.no=bankaccount account.bancaria=bankaccount account.bancario=bankaccount account.bancaire=bankaccount
sexual.orientation=delicate blood.type=delicate blood.group=delicate marital.status=delicate civil.status=delicate civil.state=delicate cause.death=delicate union.member=delicate trade.union=delicate union.membership=delicate medical.history=delicate medical.condition=delicate political.party=delicate health.condition=delicate drug.name=delicate lab.result=delicate test.result=delicate result.value=delicate chief.complaint=delicate diagnosis.code=delicate organ.donor=delicate disability.degree=delicate party.affiliation=delicate group.sanguin=delicate blood.grubu=delicate family.status=delicate health.status=delicate race.ethnicity=delicate criminal.record=delicate body.weight=delicate body.height=delicate country.citizenship=delicate
user.agent=useragent host.name=hostname mac.address=mac ip.address=ip ip.addr=ip ip.number=ip
birth.city=birthplace birth.place=birthplace place.birth=birthplace birth.town=birthplace birth.country=country birth.year=birthyear year.birth=birthyear
lieu.birth=birthplace lugar.birth=birthplace luogo.birth=birthplace local.birth=birthplace miejsce.birth=birthplace yeri.birth=birthplace mesto.birth=birthplace
company.name=company organization.name=organization employer.name=company business.name=company denominazione.sociale=company ragione.sociale=company raison.sociale=company razon.social=company razao.social=company name.company=company
job.title=job job.name=job position.title=job role.title=job work.title=job
hourly.rate=salary pay.rate=salary annual.pay=salary monthly.pay=salary net.pay=salary gross.pay=salary base.pay=salary pay.grade=salary bonus.amount=salary stock.options=salary net.worth=salary credit.score=salary credit.limit=creditlimit
personal.url=url profile.url=url linkedin.url=url website.url=url web.site=url blog.url=url photo.url=picture avatar.url=picture picture.url=picture image.url=picture signature.image=picture
next.kin=fullname emergency.contact=fullname cost.center=department cost.centre=department
count.name=count first.line=address address.line=address house.number=street street.number=street number.house=street number.street=street house.no=street flat.number=street apartment.number=street building.number=street unit.number=street
medical.number=person.number record.number=recordnumber file.location=path geo.location=coordinates`

// meaning is what a word stands for, and in which language.
type meaning struct {
	words    []string
	language string
	doubtful bool // means something else elsewhere
}

// language names the languages of the lexicon in reasons.
var languages = map[string]string{"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
	"nl": "Dutch", "pl": "Polish", "tr": "Turkish", "ru": "Russian"}

// meanings and pairings are the lexicon and the phrases, read once; parts are the
// words that a longer word may be made of.
var (
	stems    = map[string]meaning{} // of words that inflect, and of those that lost their vowels
	meanings = readLexicon()
	pairings = readPhrases()
	parts    = readParts()
)

func readLexicon() map[string][]meaning {
	m := map[string][]meaning{}
	for _, line := range strings.Split(strings.TrimSpace(lexicon), "\n") {
		language, rest, _ := strings.Cut(line, " ")
		for _, entry := range strings.Fields(rest) {
			word, means, _ := strings.Cut(entry, "=")
			word, doubtful := strings.CutPrefix(word, "?")
			m[word] = append(m[word], meaning{strings.Split(means, "."), language, doubtful})
			if stem := stemOf(word); inflects[language] && len(stem) >= 5 && !doubtful {
				stems[stem] = m[word][0]
			}
		}
	}
	for _, w := range strings.Fields("address customer gender nationality birthdate firstname lastname middlename surname password passport religion ethnicity occupation employee employer telephone mobile street salary description comment remarks country marital") {
		if _, taken := m[skeleton(w)]; taken {
			continue
		}
		stems[skeleton(w)] = meaning{words: []string{w}, language: "en"}
		if known := m[w]; known != nil {
			stems[skeleton(w)] = known[0]
		}
	}
	return m
}

// inflects are the languages whose nouns change their endings in a name.
var inflects = map[string]bool{"pl": true, "ru": true, "tr": true}

// stemOf cuts the vowels at the end of a word.
func stemOf(w string) string { return strings.TrimRight(w, "aeiouy") }

// skeleton is what an abbreviation leaves of a word: its first letter and its
// consonants, GNDR.
func skeleton(w string) string {
	return w[:1] + strings.Map(func(r rune) rune {
		if strings.ContainsRune("aeiou", r) {
			return -1
		}
		return r
	}, w[1:])
}

func readPhrases() map[[2]string]string {
	m := map[[2]string]string{}
	for _, entry := range strings.Fields(phrases) {
		pair, means, _ := strings.Cut(entry, "=")
		a, b, _ := strings.Cut(pair, ".")
		m[[2]string{a, b}] = means
		if _, taken := m[[2]string{b, a}]; !taken && a != "id" && b != "id" {
			m[[2]string{b, a}] = means
		}
	}
	return m
}

// readParts collects the words of which glued ones are made. Short words, and those
// that end many others, are no part of any: nobody's age is in a percentage.
func readParts() map[string]bool {
	never := words("nname vname age ages art sex pan tin con via ort kom ein ano mes ora ad il nie nip inn dom rut rib cap cep pin iva pass mac cell race visa tag jahr dt str plate tel kind land portable")
	set := map[string]bool{}
	add := func(w string) {
		if len(w) >= 3 && !never[w] {
			set[w] = true
		}
	}
	for w, all := range meanings {
		if slices.ContainsFunc(all, func(m meaning) bool { return !m.doubtful }) {
			add(w)
		}
		for _, m := range all {
			for _, english := range m.words {
				add(english)
			}
		}
	}
	for _, list := range []map[string]bool{personNouns, referenceNouns, harmlessWords, heads} {
		for w := range list {
			add(w)
		}
	}
	for _, w := range strings.Fields("name first last full user birth email phone street address city number code login password token secret card holder account bank mail zip post postal home work office mobile contact person given family") {
		add(w)
	}
	return set
}
