# Words of every page: layout, menus, states, pieces.
language-name = English

common-product = Janela
# $page (String) - The page's own title.
common-title = { $page } · Janela
# $title (String) - The title of the page.
common-title-error = Error: { $title }
common-skip-to-content = Skip to content
common-there-is-a-problem = There is a problem
common-learn-more = Learn more
common-dismiss = Dismiss
common-menu = Menu
common-account-menu = Account
common-language = Language
common-theme = Theme
common-theme-system = As the system
common-theme-light = Light
common-theme-dark = Dark
common-sign-out = Sign out
common-offline = Connection lost. Janela keeps trying and catches up by itself.
common-back-online = Connected again.
common-unreached = Janela cannot be reached. What you typed is still here: try again in a moment.
common-late = No answer came in time. What you typed is still here: try again in a moment.
common-broken = Something went wrong on the way. What you typed is still here: try again in a moment.

nav-main = Main
nav-conversations = Conversations
# $count (String) - Conversations.
nav-unread = { $count } with unread messages
nav-portal = Portal
nav-desk = Desk
nav-service = Service
nav-growth = Growth
nav-general-settings = General settings
nav-active-messages = Active messages
nav-system = System
nav-jobs = Jobs

presence-label = Presence
presence-online = Online
presence-on-break = On break
presence-invisible = Invisible
presence-offline = Offline
presence-invisible-hint = You keep your tickets, are given none and cannot send active messages.
