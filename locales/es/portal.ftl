# El portal: ajustes generales, todos los mensajes activos, tareas.
portal-chatbot = Chatbot
portal-save = Guardar
portal-saved = Guardado
portal-changed-by = Último cambio de { $name }
portal-never-changed = Sin cambios: estos son los valores iniciales.

portal-active-messages-hint = Lo que los agentes pueden enviar antes de que el cliente escriba.
portal-active-messages-switch = Mensajes activos
portal-active-messages-switch-hint = Activado: los agentes con permiso pueden enviar plantillas. Desactivado: nadie puede, y las respuestas siguen.
portal-missing = Aún falta para poder activarlos
portal-missing-number = No hay ningún número conectado
portal-missing-number-how = Conecte un número de WhatsApp a este chatbot.
portal-missing-webhook = Ningún webhook está verificado
portal-missing-webhook-how = Indique en la plataforma la dirección del webhook y su token de verificación. Llama una vez, y esta línea desaparece.
portal-missing-template = No hay ninguna plantilla aprobada
portal-missing-template-how = Pida a la plataforma que apruebe una. Una tarea lee las plantillas.
portal-missing-template-link = Ver cuándo se ejecuta
portal-not-ready = Los mensajes activos aún no se pueden activar. Vea abajo lo que falta.
portal-cap = Limitar el total de mensajes activos por cliente
portal-cap-hint = Desactivado: solo valen los límites de la propia plataforma.
portal-cap-sends = Mensajes por cliente en 24 horas
portal-cap-sends-hint = Un número entero de 1 a 100. Un mensaje fallido se devuelve. Las respuestas en una sesión no cuentan.
portal-cap-blank = Indique cuántos mensajes puede recibir un cliente en 24 horas
portal-cap-not-whole = Los mensajes por cliente deben ser un número entero, en cifras
portal-cap-out-of-bounds = Los mensajes por cliente deben ser de { $least } a { $most }
portal-scope = Quién comparte el límite
portal-scope-each = Cada agente por separado
portal-scope-each-hint = Cada agente puede enviar esa cantidad al mismo cliente, sin importar lo que enviaron sus colegas.
portal-scope-all = Todos los agentes juntos
portal-scope-all-hint = El cliente recibe esa cantidad en total: lo que envió un colega cuenta para todos.

portal-direct-transfer = Transferencia directa
portal-direct-transfer-hint = Adónde va la respuesta a un mensaje activo.
portal-direct-transfer-switch = La respuesta va directa al agente que escribió
portal-direct-transfer-switch-hint = Activado: la respuesta se abre en En curso del agente mientras está en línea. Desactivado: espera en la cola solo a ese agente.
