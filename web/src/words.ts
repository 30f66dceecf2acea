// What people read, French and English. Both say the same; a key missing in one does not compile.

const french = {
  title: "hotline",
  sign_in: "Se connecter", name: "Compte", password: "Mot de passe", code: "Code à six chiffres",
  code_help: "Celui que montre votre application.", sign_out: "Se déconnecter", language: "English",
  wrong_credentials: "Le compte, le mot de passe ou le code est faux.", code_wanted: "Votre compte demande aussi un code.",
  too_many_tries: "Trop d’essais. Attendez {n} s.", unreachable: "Le serveur ne répond pas. Nouvel essai en cours…",
  refused: "Ce n’est pas fait : {n}", signed_out: "Votre session est terminée. Connectez-vous de nouveau.",
  listener_page: "Écoute", wall: "Tableau mural", manager_page: "Responsable", skip: "Aller au contenu",
  // states
  state: "Mon état", offline: "Absent", available: "Disponible", alerting: "On vous appelle", talking: "En conversation",
  after_call_work: "Notes après l’appel", paused: "En pause", rung_now: "Sonne", elsewhere: "Appel personnel", unreachable_phone: "Injoignable",
  go_available: "Me rendre disponible", go_pause: "Faire une pause", end_notes: "J’ai fini mes notes",
  finish: "Terminer pour aujourd’hui", until: "jusqu’à {n}", why_missed: "Deux appels ont sonné sans réponse : vous êtes en pause.",
  why_refusing: "Un appel a été refusé : le suivant attend un peu.", state_help: "Les appels vous parviennent quand vous êtes disponible.",
 
  // phone
  phone: "Mon poste", phone_off: "Poste éteint", phone_connecting: "Connexion du poste…", phone_registered: "Poste prêt",
  phone_failed: "Le poste n’a pas pu s’enregistrer", no_door: "Aucune porte pour navigateurs n’est ouverte : demandez à l’exploitant.",
  other_tab: "Le poste est ouvert dans un autre onglet.", take_here: "L’utiliser ici",
  // sound
  sound: "Son", microphone: "Microphone", speaker: "Casque ou haut-parleur", ringer: "Sonnerie sur", default_device: "Celui du système",
  level: "Niveau du microphone", test: "Tester le son", test_speak: "Parlez normalement…", test_listen: "Écoutez le son…",
  test_good: "Le microphone vous entend et rien ne revient.", test_silent: "Le microphone n’entend rien. Choisissez-en un autre, ou vérifiez qu’il n’est pas coupé.",
  test_echo: "Le son revient dans le microphone : mettez un casque, ou baissez le volume.",
  no_microphone: "Pas de microphone : aucun appel ne vous est proposé. Branchez-le, ou autorisez-le dans le navigateur, puis réessayez.",
  headset: "Touches du casque", headset_why: "Décrocher, raccrocher et couper le micro avec les touches du casque (USB).", headset_connect: "Connecter un casque",
  headset_help: "Ses touches décrochent, raccrochent et coupent le micro.", headset_forget: "Ne plus l’utiliser", headset_fault: "Ce casque ne répond pas : débranchez-le, rebranchez-le et fermez les logiciels qui s’en servent. Les boutons de la page marchent comme toujours.",
  retry: "Réessayer", test_call_stops: "Le test n’est pas possible pendant un appel.",
  // call
  call: "Appel", incoming: "Appel entrant", line: "Ligne {n}", waited: "attend depuis {n}", returning: "Revient après une coupure",
  answer: "Répondre (espace)", decline: "Refuser", hang_up: "Raccrocher", mute: "Couper mon micro", unmute: "Rouvrir mon micro",
  muted: "Micro coupé", hold: "Mettre en attente", unhold: "Reprendre", held: "L’appelant est en attente et entend la musique.",
  cut_off: "La liaison est coupée. L’appelant entend qu’il doit patienter ; ne raccrochez pas : la conversation reprend dès qu’elle revient.",
  keys: "Touches de l’appelant", no_call: "Pas d’appel en cours.", lasted: "Durée {n}", loss: "Perte de son : {n} %",
  centres: "Demander un centre", call_centre: "Appeler {n}", leave_together: "Les laisser ensemble", come_back: "Revenir à l’appelant",
  centre_help: "L’appelant attend pendant que vous parlez au centre.", no_centre: "Aucun centre dans le plan.",
  hand_to: "Confier à {n}", nobody_free: "Aucun collègue n’est disponible.",
  cancel: "Annuler", help: "Appeler un responsable", help_sent: "Les responsables sont prévenus.",
  reason: "Motif (facultatif)", no_reason: "Sans motif", reason_break: "Pause", reason_meeting: "Réunion", reason_training: "Formation", reason_technical: "Problème technique",
  more_minutes: "+ {n} min", rest: "Appel difficile : 10 min de repos", why_rest: "Vous vous reposez après un appel difficile.", why_finished: "Vous avez terminé pour aujourd’hui.",
  colleague: "Un collègue", ask_first: "Demander d’abord à {n}",
  asked_rings: "{n} sonne ; l’appelant entend l’attente.", asked_speaks: "Vous parlez avec {n} ; l’appelant attend.",
  asked_takes: "{n} sonne, et aura l’appelant en décrochant.", asked_joins: "{n} sonne ; vous restez avec l’appelant.",
  asked_joined: "{n} est avec vous et l’appelant.", asked_back: "{n} ne répond pas ou a raccroché : vous avez de nouveau l’appelant.",
  text: "Texte", the_caller: "L’appelant :", you: "Vous :", write: "Écrire à l’appelant",
  write_help: "Chaque lettre s’affiche chez l’appelant à mesure ; Entrée termine la ligne. Tout s’efface à la fin de l’appel.", not_shown: "L’appelant n’a pas pu lire la fin de ce que vous avez écrit.",
  emergency: "Secours", emergency_help: "Les secours sont appelés à trois. Deux clics : le département, puis la confirmation.", emergency_confirm: "Appeler les secours : {n}",
  bad_sound: "J’entends mal", bad_sound_told: "C’est noté pour l’équipe technique.", give_back: "Je connais cette personne",
  // queue
  queue: "File d’attente", nobody_waits: "Personne n’attend.", waits_since: "depuis {n}", colleagues: "Collègues", nobody_else: "Personne d’autre n’est là.", open: "ouverte", closed: "fermée",
  on_line: "ligne {n}",
  // notices
  paused_by: "{n} vous a mis en pause.", called_back_by: "{n} vous a rendu disponible.", help_by: "{n} demande de l’aide.", close: "Fermer",
  away: "Liaison perdue avec le serveur. Un appel en cours peut continuer ; nouvel essai…",
  // wall
  waiting: "En attente", oldest: "La plus longue attente", on_the_phone: "En conversation", free: "Disponibles", next: "Prochain changement",
  opens_at: "ouvre : {n}", closes_at: "ferme : {n}", rates: "Aujourd’hui", calls_today: "Appels reçus : {n}", trunks: "Opérateurs", trunk_up: "en service", trunk_down: "hors service",
  trunk_unregistered: "non enregistré", alarms: "Alarmes", no_alarm: "Aucune alarme.", none: "–", of: "{n} sur {m}",
  rate_decroche: "Taux de décroché (DITP)", rate_snated: "Taux de réponse (SNATED)", rate_eighty_twenty: "Décrochés en 20 s",
  // manager
  // alarms: what it is, and what to do
  to_do: "À faire : {n}",
  alarm_bad_sound: "Un écoutant a mal entendu un appelant.", alarm_bad_sound_do: "lui demander ; si cela se répète, voir le réseau ou le casque.",
  alarm_certificate_ended: "Le certificat {n} n’est plus valable depuis : {m}.", alarm_certificate_ended_do: "déposer le nouveau et relire le plan ; les appels en cours continuent, les nouveaux postes sont refusés.",
  alarm_certificate_ends: "Le certificat {n} prend bientôt fin : {m}.", alarm_certificate_ends_do: "déposer le nouveau et relire le plan ; aucun appel n’est perdu.",
  alarm_door_shut: "N’est pas ouvert : {n}.", alarm_door_shut_do: "lancer hotline check, corriger, puis redémarrer quand personne n’appelle.",
  alarm_facts_dropped: "Évènements perdus par une erreur du programme : {m}.", alarm_facts_dropped_do: "envoyer le journal à qui tient le programme.",
  alarm_files_broken: "Une partie des fichiers du plan ne peut pas servir.", alarm_files_broken_do: "lancer hotline check : il dit laquelle et quoi écrire ; le reste est en vigueur.",
  alarm_media_broke: "Le son s’est arrêté un moment dans une partie des appels (nombre de fois : {m}).", alarm_media_broke_do: "envoyer le journal à qui tient le programme ; les appels continuent.",
  alarm_media_limit: "La machine n’arrive plus à porter le son : il vient en retard.", alarm_media_limit_do: "baisser limits.calls, arrêter ce qui tourne à côté, ou prendre une machine plus forte.",
  alarm_plan_built_in: "Aucun plan ne peut servir : chaque appelant entend que la ligne est fermée.", alarm_plan_built_in_do: "tout de suite : lancer hotline check, corriger (une phrase enregistrée manque peut-être), relire le plan.",
  alarm_plan_last_good: "Les fichiers du plan ne peuvent pas servir : le dernier plan qui marchait est en vigueur.", alarm_plan_last_good_do: "lancer hotline check, corriger (une phrase enregistrée manque peut-être), relire le plan.",
  alarm_records_lost: "Fiches d’appels perdues : {m}.", alarm_records_lost_do: "les chiffres de cette période sont trop bas ; faire voir le disque de la base.",
  alarm_records_wait: "La base de données est absente ; fiches d’appels qui l’attendent : {m}.", alarm_records_wait_do: "faire voir le disque ; les appels passent, les fiches sont écrites dès qu’elle revient. Ne pas redémarrer avant.",
  alarm_sip_dropped: "Messages téléphoniques jetés faute de place : {m}.", alarm_sip_dropped_do: "voir deploy/sysctl.conf et la charge de la machine ; les réseaux répètent ce qui se perd.",
  alarm_clock_step: "L’horloge de la machine a sauté de {m} s.", alarm_clock_step_do: "faire voir son service de temps.",
  alarm_codec_mismatch: "Un appel n’offrait aucun codec connu.", alarm_codec_mismatch_do: "l’opérateur doit proposer PCMA (G.711 A).",
  alarm_long_wait: "Le premier de la file {n} attend depuis {m}.", alarm_long_wait_do: "demander aux écoutants en pause de revenir, ou prendre l’appel.",
  alarm_nobody_logged_in: "La ligne {n} est ouverte et aucun écoutant n’est là.", alarm_nobody_logged_in_do: "appeler quelqu’un.",
  alarm_nobody_logged_in_yet: "La ligne {n} ouvre bientôt ({m}) et aucun écoutant n’est là.",
  alarm_one_way_sound: "Aucun son n’arrive de {n} pendant les conversations.", alarm_one_way_sound_do: "voir le pare-feu ou le réseau de ce côté, et advertised dans hotline.toml ; un micro coupé n’y est pour rien.",
  alarm_overload: "Des appels ont été refusés faute de place.", alarm_overload_do: "augmenter limits.calls ou la limite de l’opérateur, ou chercher qui appelle.",
  alarm_reload_refused: "Le plan modifié n’a pas été accepté : {n}", alarm_reload_refused_do: "corriger le fichier et relire le plan ; l’ancien reste en vigueur.",
  alarm_switch: "La ligne {n} est fermée à la main jusqu’à : {m}.", alarm_switch_do: "rien, si c’est voulu ; sinon « Suivre le calendrier ».",
  alarm_trunk_abroad: "Le DNS mène l’opérateur {n} hors de ses adresses ; ce n’est pas suivi.", alarm_trunk_abroad_do: "demander à l’opérateur s’il a déménagé ; sinon, se méfier du DNS.",
  alarm_trunk_down: "L’opérateur {n} ne répond pas.", alarm_trunk_down_do: "les appels passent par les autres voies ; appeler l’opérateur.",
  alarm_trunk_unlocated: "Le nom de l’opérateur {n} ne mène nulle part.", alarm_trunk_unlocated_do: "voir si le DNS répond, et l’orthographe du nom.",
  alarm_trunk_unregistered: "L’opérateur {n} n’accepte pas notre compte.", alarm_trunk_unregistered_do: "vérifier le compte, le domaine et le mot de passe.",
  alarm_unknown_number: "L’opérateur a livré un numéro qu’aucune ligne n’a.", alarm_unknown_number_do: "l’ajouter à numbers, ou demander à l’opérateur.",
  alarm_unusual_activity: "Appelants qui voulaient plus d’appels à la fois que permis : {m}.", alarm_unusual_activity_do: "rien n’est bloqué ; regarder la file, prévenir l’opérateur.",
  join: "Prendre des appels", joined: "Vous prenez des appels : ils s’affichent dès qu’ils sonnent.", not_joined: "Vous ne prenez pas d’appels.",
  join_begins: "Prendre des appels comme écoutant", join_ends: "Ne plus prendre d’appels",
  lines: "Lignes", close_line: "Fermer", open_line: "Ouvrir", automatic: "Suivre le calendrier", until_when: "Jusqu’à (17h, 17h30, 2026-12-24 17h)",
  all_lines: "Toutes les lignes", which_line: "Ligne", listeners: "Écoutants", pause_them: "Mettre en pause", call_them_back: "Rendre disponible",
  pause_name: "Mettre {n} en pause", back_name: "Rendre {n} disponible", plan: "Plan", version: "Version {n}", in_force: "En vigueur depuis {n}", last_change: "Dernière modification", no_change: "Aucune depuis le démarrage.",
  reload: "Relire le plan", records: "Appels des 90 derniers jours", from: "Du", to: "Au", outcome: "Issue", every: "Toutes", show: "Afficher", csv: "Télécharger en CSV",
  arrived: "Arrivé", waited_for: "Attente", talked_for: "Conversation", rung: "Sonnés", cause: "Fin", done: "C’est fait.", shown: "Appels trouvés : {n} ; affichés : {m}.",
  taken_by_listener: "pris par un écoutant", abandoned_in_greeting: "abandonné à l’accueil", abandoned_under_5s: "raccroché avant 5 s",
  abandoned_in_queue: "abandonné en file", closed_message_heard: "message de fermeture entendu", closed_message_cut: "message de fermeture coupé",
  saturated: "file pleine", no_listener: "aucun écoutant", drain_expired: "fin de service", overload: "surcharge", rejected: "refusé", technical_failure: "panne",
};

type Words = typeof french;
export type Word = keyof Words;

const english: Words = {
  title: "hotline",
  sign_in: "Sign in", name: "Account", password: "Password", code: "Six-digit code",
  code_help: "The one your app shows.", sign_out: "Sign out", language: "Français",
  wrong_credentials: "The account, the password or the code is wrong.", code_wanted: "Your account asks for a code too.",
  too_many_tries: "Too many tries. Wait {n} s.", unreachable: "The server does not answer. Trying again…",
  refused: "Not done: {n}", signed_out: "Your session is over. Sign in again.",
  listener_page: "Listening", wall: "Wall", manager_page: "Manager", skip: "Skip to content",
  state: "My state", offline: "Away", available: "Available", alerting: "You are being called", talking: "Talking",
  after_call_work: "Notes after the call", paused: "Paused", rung_now: "Ringing", elsewhere: "In a call of your own", unreachable_phone: "Unreachable",
  go_available: "Become available", go_pause: "Take a break", end_notes: "My notes are done",
  finish: "Finish for today", until: "until {n}", why_missed: "Two calls rang unanswered: you are paused.",
  why_refusing: "A call was declined: the next one waits a little.", state_help: "Calls reach you while you are available.",
 
  phone: "My phone", phone_off: "Phone off", phone_connecting: "Phone connecting…", phone_registered: "Phone ready",
  phone_failed: "The phone could not register", no_door: "No door for browsers is open: ask whoever runs the house.",
  other_tab: "The phone is open in another tab.", take_here: "Use it here",
  sound: "Sound", microphone: "Microphone", speaker: "Headset or loudspeaker", ringer: "Ring on", default_device: "The system’s",
  level: "Microphone level", test: "Test the sound", test_speak: "Speak normally…", test_listen: "Listen to the tone…",
  test_good: "The microphone hears you and nothing comes back.", test_silent: "The microphone hears nothing. Choose another, or check that it isn’t muted.",
  test_echo: "The sound comes back into the microphone: use a headset, or lower the volume.",
  no_microphone: "No microphone: no calls are offered to you. Plug it in, or allow it in the browser, then try again.",
  headset: "Headset buttons", headset_why: "Answer, hang up and mute with the buttons of your (USB) headset.", headset_connect: "Connect a headset",
  headset_help: "Its buttons answer, hang up and mute.", headset_forget: "Stop using it", headset_fault: "This headset does not answer: unplug it, plug it in again, and close the programs that use it. The buttons of the page work as ever.",
  retry: "Try again", test_call_stops: "The test can’t be done during a call.",
  call: "Call", incoming: "Incoming call", line: "Line {n}", waited: "waiting for {n}", returning: "Back after a cut",
  answer: "Answer (space)", decline: "Decline", hang_up: "Hang up", mute: "Mute my microphone", unmute: "Unmute my microphone",
  muted: "Microphone muted", hold: "Hold", unhold: "Resume", held: "The caller is on hold and hears music.",
  cut_off: "The link is cut. The caller is told to hold the line; don’t hang up: you go on as soon as it is back.",
  keys: "Keys the caller pressed", no_call: "No call.", lasted: "Duration {n}", loss: "Sound lost: {n} %",
  centres: "Ask a centre", call_centre: "Call {n}", leave_together: "Leave them together", come_back: "Back to the caller",
  centre_help: "The caller waits while you speak with the centre.", no_centre: "The plan has no centre.",
  hand_to: "Hand over to {n}", nobody_free: "No colleague is available.",
  cancel: "Cancel", help: "Call a manager", help_sent: "The managers have been told.",
  reason: "Reason (optional)", no_reason: "No reason", reason_break: "Break", reason_meeting: "Meeting", reason_training: "Training", reason_technical: "Technical trouble",
  more_minutes: "+ {n} min", rest: "Difficult call: rest 10 min", why_rest: "You are resting after a difficult call.", why_finished: "You have finished for today.",
  colleague: "A colleague", ask_first: "Ask {n} first",
  asked_rings: "{n} is ringing; the caller hears the wait sound.", asked_speaks: "You speak with {n}; the caller waits.",
  asked_takes: "{n} is ringing, and has the caller on picking up.", asked_joins: "{n} is ringing; you stay with the caller.",
  asked_joined: "{n} is with you and the caller.", asked_back: "{n} does not answer or has hung up: you have the caller again.",
  text: "Text", the_caller: "Caller:", you: "You:", write: "Write to the caller",
  write_help: "The caller sees each letter as you type; Enter ends the line. It all goes when the call ends.", not_shown: "The caller could not read the end of what you wrote.",
  emergency: "Emergency services", emergency_help: "The emergency services are brought in as a third. Two clicks: the department, then the confirmation.", emergency_confirm: "Call the emergency services: {n}",
  bad_sound: "I can’t hear well", bad_sound_told: "Noted for the technicians.", give_back: "I know this person",
  queue: "Queue", nobody_waits: "Nobody waits.", waits_since: "for {n}", colleagues: "Colleagues", nobody_else: "Nobody else is here.", open: "open", closed: "closed",
  on_line: "line {n}",
  paused_by: "{n} paused you.", called_back_by: "{n} made you available.", help_by: "{n} asks for help.", close: "Close",
  away: "The link to the server is lost. A call in progress may go on; trying again…",
  waiting: "Waiting", oldest: "Longest wait", on_the_phone: "Talking", free: "Available", next: "Next change",
  opens_at: "opens: {n}", closes_at: "closes: {n}", rates: "Today", calls_today: "Calls that came: {n}", trunks: "Trunks", trunk_up: "up", trunk_down: "down",
  trunk_unregistered: "not registered", alarms: "Alarms", no_alarm: "No alarm.", none: "–", of: "{n} of {m}",
  rate_decroche: "Answer rate (DITP)", rate_snated: "Answer rate (SNATED)", rate_eighty_twenty: "Answered within 20 s",
  to_do: "To do: {n}",
  alarm_bad_sound: "A listener could not hear a caller well.", alarm_bad_sound_do: "ask them; if it repeats, look at the network or the headset.",
  alarm_certificate_ended: "The certificate {n} is not valid any more since: {m}.", alarm_certificate_ended_do: "put the new one there and read the plan again; calls go on, new phones are refused.",
  alarm_certificate_ends: "The certificate {n} ends soon: {m}.", alarm_certificate_ends_do: "put the new one there and read the plan again; no call is lost.",
  alarm_door_shut: "Not open: {n}.", alarm_door_shut_do: "run hotline check, correct, and restart when nobody calls.",
  alarm_facts_dropped: "Events lost by a fault of the program: {m}.", alarm_facts_dropped_do: "send the log to whoever keeps the program.",
  alarm_files_broken: "Some of the plan’s files can’t be used.", alarm_files_broken_do: "run hotline check: it says which, and what to write; the rest is in force.",
  alarm_media_broke: "Sound stopped for a moment in some of the calls (how often: {m}).", alarm_media_broke_do: "send the log to whoever keeps the program; calls go on.",
  alarm_media_limit: "The machine can’t carry the sound any more: it comes late.", alarm_media_limit_do: "lower limits.calls, stop what runs beside it, or take a stronger machine.",
  alarm_plan_built_in: "No plan can be used: every caller hears that the line is closed.", alarm_plan_built_in_do: "at once: run hotline check, correct (a recording may be missing), read the plan again.",
  alarm_plan_last_good: "The plan’s files can’t be used: the last plan that worked is in force.", alarm_plan_last_good_do: "run hotline check, correct (a recording may be missing), read the plan again.",
  alarm_records_lost: "Records of calls lost: {m}.", alarm_records_lost_do: "the figures of that time are too low; have the database’s disk looked at.",
  alarm_records_wait: "The database is away; records of calls that wait for it: {m}.", alarm_records_wait_do: "have the disk looked at; calls get through, records are written when it is back. Don’t restart before.",
  alarm_sip_dropped: "Telephone messages thrown away for lack of room: {m}.", alarm_sip_dropped_do: "see deploy/sysctl.conf and how busy the machine is; networks repeat what gets lost.",
  alarm_clock_step: "The computer’s clock jumped by {m} s.", alarm_clock_step_do: "have its time service looked at.",
  alarm_codec_mismatch: "A call offered no codec we speak.", alarm_codec_mismatch_do: "the telephone operator must offer PCMA (G.711 A).",
  alarm_long_wait: "The first in the queue {n} has waited for {m}.", alarm_long_wait_do: "ask listeners in pause to come back, or join in.",
  alarm_nobody_logged_in: "Line {n} is open and no listener is there.", alarm_nobody_logged_in_do: "call somebody.",
  alarm_nobody_logged_in_yet: "Line {n} opens soon ({m}) and no listener is there.",
  alarm_one_way_sound: "No sound at all comes from {n} during conversations.", alarm_one_way_sound_do: "look at the firewall or network on that side, and at advertised in hotline.toml; it is not a muted microphone.",
  alarm_overload: "Calls were refused for lack of room.", alarm_overload_do: "raise limits.calls or the trunk’s limit, or find out who calls.",
  alarm_reload_refused: "The edited plan was not accepted: {n}", alarm_reload_refused_do: "correct the file and read the plan again; the old one is in force.",
  alarm_switch: "Line {n} is closed by hand until: {m}.", alarm_switch_do: "nothing, if that is meant; else “Follow the calendar”.",
  alarm_trunk_abroad: "The DNS leads the trunk {n} outside its addresses; that is not used.", alarm_trunk_abroad_do: "ask the telephone operator whether they moved; if not, distrust the DNS.",
  alarm_trunk_down: "The trunk {n} does not answer.", alarm_trunk_down_do: "calls come by the others; call the telephone operator.",
  alarm_trunk_unlocated: "The name of the trunk {n} leads nowhere.", alarm_trunk_unlocated_do: "see whether the DNS answers, and the name’s spelling.",
  alarm_trunk_unregistered: "The trunk {n} does not accept our account.", alarm_trunk_unregistered_do: "look at user, realm and password.",
  alarm_unknown_number: "A trunk delivered a number no line has.", alarm_unknown_number_do: "add it to numbers, or ask the telephone operator.",
  alarm_unusual_activity: "Callers who wanted more calls at once than one may have: {m}.", alarm_unusual_activity_do: "nothing is banned; look at the queue, tell the telephone operator.",
  join: "Taking calls", joined: "You take calls: they show as soon as they ring.", not_joined: "You take no calls.",
  join_begins: "Take calls as a listener", join_ends: "Take no more calls",
  lines: "Lines", close_line: "Close", open_line: "Open", automatic: "Follow the calendar", until_when: "Until (17h, 17h30, 2026-12-24 17h)",
  all_lines: "Every line", which_line: "Line", listeners: "Listeners", pause_them: "Pause", call_them_back: "Make available",
  pause_name: "Pause {n}", back_name: "Make {n} available", plan: "Plan", version: "Version {n}", in_force: "In force since {n}", last_change: "Last change", no_change: "None since the start.",
  reload: "Read the plan again", records: "Calls of the last 90 days", from: "From", to: "To", outcome: "Outcome", every: "Any", show: "Show", csv: "Download as CSV",
  arrived: "Came", waited_for: "Waited", talked_for: "Talked", rung: "Rung", cause: "End", done: "Done.", shown: "Calls found: {n}; shown: {m}.",
  taken_by_listener: "taken by a listener", abandoned_in_greeting: "left in the greeting", abandoned_under_5s: "left within 5 s",
  abandoned_in_queue: "left in the queue", closed_message_heard: "heard the closed message", closed_message_cut: "cut the closed message short",
  saturated: "queue full", no_listener: "no listener", drain_expired: "end of service", overload: "overload", rejected: "refused", technical_failure: "failure",
};

export type Language = "fr" | "en";
const KEY = "hotline.language";
let language: Language = stored() ?? (navigator.language.startsWith("en") ? "en" : "fr");

function stored(): Language | null {
  const kept = localStorage.getItem(KEY);
  return kept === "fr" || kept === "en" ? kept : null;
}

export function speak(chosen: Language, keep: boolean): void {
  if (!keep && stored()) return;
  language = chosen;
  if (keep) localStorage.setItem(KEY, chosen);
  document.documentElement.lang = language;
}

export const spoken = (): Language => language;

export function say(word: Word, n?: string | number, m?: string | number): string {
  const words = language === "fr" ? french : english;
  return words[word].replace("{n}", String(n ?? "")).replace("{m}", String(m ?? ""));
}

/** Whether there are words for this. */
export const known = (word: string): word is Word => word in french;

/** `3:07`, for waits and calls. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function clock(iso: string): string {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString(language, today ? { hour: "2-digit", minute: "2-digit" }
    : { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

document.documentElement.lang = language;
