# O portal: configurações gerais, todas as mensagens ativas, tarefas.
portal-chatbot = Chatbot
portal-save = Salvar
portal-saved = Salvo
portal-changed-by = Última alteração por { $name }
portal-never-changed = Nunca alterado: estes são os padrões.

portal-active-messages-hint = O que os agentes podem enviar antes de o cliente escrever.
portal-active-messages-switch = Mensagens ativas
portal-active-messages-switch-hint = Ligado: agentes com permissão podem enviar modelos. Desligado: ninguém pode, e as respostas continuam.
portal-missing = Ainda falta para poder ligar
portal-missing-number = Nenhum número está conectado
portal-missing-number-how = Conecte um número do WhatsApp a este chatbot.
portal-missing-webhook = Nenhum webhook foi verificado
portal-missing-webhook-how = Informe na plataforma o endereço do webhook e o token de verificação. Ela chama uma vez, e esta linha some.
portal-missing-template = Nenhum modelo foi aprovado
portal-missing-template-how = Peça à plataforma a aprovação de um. Os modelos são lidos por uma tarefa.
portal-missing-template-link = Ver quando ela roda
portal-not-ready = Ainda não é possível ligar as mensagens ativas. Veja abaixo o que falta.
portal-cap = Limitar o total de mensagens ativas por cliente
portal-cap-hint = Desligado: valem só os limites da própria plataforma.
portal-cap-sends = Mensagens por cliente em 24 horas
portal-cap-sends-hint = Um número inteiro de 1 a 100. Uma mensagem que falhou é devolvida. Respostas em uma sessão não contam.
portal-cap-blank = Informe quantas mensagens um cliente pode receber em 24 horas
portal-cap-not-whole = As mensagens por cliente devem ser um número inteiro, em algarismos
portal-cap-out-of-bounds = As mensagens por cliente devem ser de { $least } a { $most }
portal-scope = Quem divide o limite
portal-scope-each = Cada agente em separado
portal-scope-each-hint = Cada agente pode enviar essa quantidade ao mesmo cliente, não importa o que os colegas enviaram.
portal-scope-all = Todos os agentes juntos
portal-scope-all-hint = O cliente recebe essa quantidade no total: o que um colega enviou conta para todos.

portal-direct-transfer = Transferência direta
portal-direct-transfer-hint = Para onde vai a resposta a uma mensagem ativa.
portal-direct-transfer-switch = A resposta vai direto ao agente que escreveu
portal-direct-transfer-switch-hint = Ligado: a resposta abre em Em andamento do agente enquanto ele está online. Desligado: ela espera na fila só por esse agente.
