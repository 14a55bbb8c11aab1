BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE conversations (
	id VARCHAR(64) NOT NULL, 
	title TEXT NOT NULL, 
	bot TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	head_id INTEGER, 
	latest_id INTEGER, 
	PRIMARY KEY (id)
);
INSERT INTO "conversations" VALUES('1m815z01j8w29','What is chatseq?','starter','2026-11-22 08:29:02.898852',2,2);
INSERT INTO "conversations" VALUES('1m815z05mg1g3','怎样训练模型？','starter','2026-11-22 08:29:03.028402',5,5);
CREATE TABLE feedback (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	message_id INTEGER NOT NULL, 
	verdict VARCHAR(16) NOT NULL, 
	correction TEXT NOT NULL, 
	checksum VARCHAR(32) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	created DATETIME NOT NULL, 
	FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
INSERT INTO "feedback" VALUES(1,2,'good','','cae66941d9efbd404e4d88758ea67670','new','2026-11-22 14:34:06.151273');
INSERT INTO "feedback" VALUES(2,4,'correct','先准备语料，再训练。','680f4d90fe9e5aad4843a29fd6995935','accepted','2026-11-22 14:34:06.157362');
INSERT INTO "feedback" VALUES(3,5,'bad','','cae66941d9efbd404e4d88758ea67670','new','2026-11-22 14:34:06.161143');
CREATE TABLE messages (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	conversation_id VARCHAR(64) NOT NULL, 
	parent_id INTEGER, 
	role VARCHAR(16) NOT NULL, 
	text TEXT NOT NULL, 
	words TEXT NOT NULL, 
	checksum VARCHAR(32) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	created DATETIME NOT NULL, 
	source VARCHAR(32) NOT NULL, 
	confidence FLOAT, 
	strategy TEXT NOT NULL, 
	bot TEXT NOT NULL, 
	model TEXT NOT NULL, 
	tokens INTEGER NOT NULL, 
	milliseconds FLOAT NOT NULL, 
	seed VARCHAR(40), 
	alternatives JSON NOT NULL, 
	FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE, 
	FOREIGN KEY(parent_id) REFERENCES messages (id) ON DELETE CASCADE
);
INSERT INTO "messages" VALUES(1,'1m815z01j8w29',NULL,'question','What is chatseq?',' what is chatseq ','00b4e56fea0596426f72ceb522d5281a','complete','2026-11-22 08:29:02.924474','',NULL,'','starter','',0,0.0,NULL,'[]');
INSERT INTO "messages" VALUES(2,'1m815z01j8w29',1,'reply','It turns a file of questions and answers into a chatbot.',' it turns a file of questions and answers into a chatbot ','e30db06ed348eb4882c8a5073278280b','complete','2026-11-22 08:29:02.984973','retrieved',0.93,'greedy','starter','b2:0123456789abcdef',14,31.5,'13','[{"text": "A program.", "confidence": 0.05}]');
INSERT INTO "messages" VALUES(3,'1m815z05mg1g3',NULL,'question','怎样训练模型？',' 怎 样 训 练 模 型 ','3072bbf66711cdbc7e258ef591336ba5','complete','2026-11-22 08:29:03.029936','',NULL,'','starter','',0,0.0,NULL,'[]');
INSERT INTO "messages" VALUES(4,'1m815z05mg1g3',3,'reply','先准备',' 先 准 备 ','57db24536736c33974fc11fab1dda5bf','interrupted','2026-11-22 08:29:03.058505','generated',NULL,'','starter','',0,0.0,NULL,'[]');
INSERT INTO "messages" VALUES(5,'1m815z05mg1g3',3,'reply','chatseq train 文件',' chatseq train 文 件 ','63ea97a74d1e48c873084ec1a4272473','complete','2026-11-22 08:29:03.098092','generated',0.81,'beam','starter','',6,20.25,NULL,'[]');
CREATE INDEX ix_conversations_latest_id ON conversations (latest_id);
CREATE INDEX ix_messages_conversation_id ON messages (conversation_id);
CREATE INDEX ix_messages_parent_id ON messages (parent_id);
CREATE UNIQUE INDEX ix_feedback_message_id ON feedback (message_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('messages',5);
INSERT INTO "sqlite_sequence" VALUES('feedback',3);
COMMIT;
