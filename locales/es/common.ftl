# Words of every page: layout, menus, states, pieces.
language-name = Español

common-product = Janela
common-title = { $page } · Janela
common-title-error = Error: { $title }
common-skip-to-content = Ir al contenido
common-there-is-a-problem = Hay un problema
common-learn-more = Más información
common-dismiss = Descartar
common-menu = Menú
common-account-menu = Cuenta
common-language = Idioma
common-theme = Tema
common-theme-system = Como el sistema
common-theme-light = Claro
common-theme-dark = Oscuro
common-sign-out = Cerrar sesión
common-offline = Conexión perdida. Janela sigue intentándolo y se pone al día sola.
common-back-online = Conectado de nuevo.
common-unreached = No se puede llegar a Janela. Lo que escribiste sigue aquí: inténtalo de nuevo en un momento.
common-late = La respuesta no llegó a tiempo. Lo que escribiste sigue aquí: inténtalo de nuevo en un momento.
common-broken = Algo salió mal por el camino. Lo que escribiste sigue aquí: inténtalo de nuevo en un momento.

nav-main = Principal
nav-conversations = Conversaciones
nav-unread = { $count } con mensajes sin leer
nav-portal = Portal
nav-desk = Mesa
nav-service = Servicio
nav-growth = Crecimiento
nav-general-settings = Ajustes generales
nav-active-messages = Mensajes activos
nav-system = Sistema
nav-jobs = Tareas

presence-label = Presencia
presence-online = En línea
presence-on-break = En pausa
presence-invisible = Invisible
presence-offline = Desconectado
presence-invisible-hint = Conservas tus tickets, no recibes nuevos y no puedes enviar mensajes activos.
