# Words of every page: layout, menus, states, pieces.
language-name = Português (Brasil)

common-product = Janela
common-title = { $page } · Janela
common-title-error = Erro: { $title }
common-skip-to-content = Ir para o conteúdo
common-there-is-a-problem = Há um problema
common-learn-more = Saiba mais
common-dismiss = Dispensar
common-menu = Menu
common-account-menu = Conta
common-language = Idioma
common-theme = Tema
common-theme-system = Como o sistema
common-theme-light = Claro
common-theme-dark = Escuro
common-sign-out = Sair
common-offline = Conexão perdida. O Janela continua tentando e se atualiza sozinho.
common-back-online = Conectado novamente.
common-unreached = O Janela não responde. O que você digitou continua aqui: tente de novo em instantes.
common-late = A resposta não chegou a tempo. O que você digitou continua aqui: tente de novo em instantes.
common-broken = Algo deu errado no caminho. O que você digitou continua aqui: tente de novo em instantes.

nav-main = Principal
nav-conversations = Conversas
nav-unread = { $count } com mensagens não lidas
nav-portal = Portal
nav-desk = Mesa
nav-service = Atendimento
nav-growth = Crescimento
nav-general-settings = Configurações gerais
nav-active-messages = Mensagens ativas
nav-system = Sistema
nav-jobs = Tarefas

presence-label = Presença
presence-online = Online
presence-on-break = Em pausa
presence-invisible = Invisível
presence-offline = Offline
presence-invisible-hint = Você mantém seus atendimentos, não recebe novos e não pode enviar mensagens ativas.
