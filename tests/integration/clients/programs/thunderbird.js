// SPDX-License-Identifier: ISC
// Runs inside Thunderbird, with its own modules: an account is made as its set-up makes one, mail is sent and fetched as
// its buttons do it. What it would have put before the person's eyes goes into `shown`.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");

const PASSWORD_CLEARTEXT = Ci.nsMsgAuthMethod.passwordCleartext;

// Somebody who reads what comes up and cancels it, having no other password.
function watch(shown) {
  Services.obs.addObserver((window) => {
    const { document } = window;
    const dialog = document.getElementById("commonDialog");
    shown.push(["infoTitle", "infoBody"].map((id) => document.getElementById(id).textContent).filter(Boolean).join(": "));
    const cancel = dialog.getButton("cancel");
    window.setTimeout(() => (cancel.hidden ? dialog.getButton("accept") : cancel).click(), 0);
  }, "common-dialog-loaded");
  MailServices.mailSession.addUserFeedbackListener({
    QueryInterface: ChromeUtils.generateQI(["nsIMsgUserFeedbackListener"]),
    onAlert: (text) => { shown.push(text); return true; },
    onCertError: (securityInfo) => shown.push(securityInfo.errorCodeString),
  });
}

function trust(pem) {
  Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
    .addCertFromBase64(pem.replace(/-----[^-]+-----|\s/g, ""), "CT,,");
}

function removeAccounts() {
  for (const account of MailServices.accounts.accounts) {
    account.incomingServer.closeCachedConnections();
    MailServices.accounts.removeAccount(account, true);
  }
  for (const server of MailServices.outgoingServer.servers) {
    MailServices.outgoingServer.deleteServer(server);
  }
}

function makeIncoming(task) {
  const server = MailServices.accounts.createIncomingServer(task.login, task.host, task.imap ? "imap" : "pop3");
  server.port = task.port;
  server.authMethod = PASSWORD_CLEARTEXT;
  server.socketType = task.implicit ? Ci.nsMsgSocketType.SSL : Ci.nsMsgSocketType.alwaysSTARTTLS;
  server.password = task.secret;
  if (!task.imap) {
    server.setBoolValue("leave_on_server", true);
  }
  server.valid = true;
  const account = MailServices.accounts.createAccount();
  account.incomingServer = server;
  return server;
}

function makeOutgoing(task) {
  const server = MailServices.outgoingServer.createServer("smtp");
  const smtp = server.QueryInterface(Ci.nsISmtpServer);
  smtp.hostname = task.host;
  smtp.port = task.port;
  server.socketType = task.implicit ? Ci.nsMsgSocketType.SSL : Ci.nsMsgSocketType.alwaysSTARTTLS;
  server.authMethod = PASSWORD_CLEARTEXT;
  server.username = task.login;
  server.password = task.secret;
  return server;
}

function urlListener(resolve) {
  return {
    QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
    OnStartRunningUrl() {},
    OnStopRunningUrl: (url, status) => resolve(status),
  };
}

// Subjects of the inbox, once it has been asked for from the main window.
async function get(server) {
  const { msgWindow } = Services.wm.getMostRecentWindow("mail:3pane");
  const root = server.rootFolder;
  if (server.type === "imap") {
    await new Promise((resolve) => server.performExpand(msgWindow) || resolve());
  }
  const inbox = root.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox) || root.getChildNamed("INBOX");
  const status = await new Promise((resolve) => {
    if (server.type === "imap") {
      MailServices.imap.selectFolder(inbox, urlListener(resolve), msgWindow);
    } else {
      MailServices.pop3.GetNewMail(msgWindow, urlListener(resolve), inbox, server);
    }
  });
  return { status, subjects: [...inbox.messages].map((message) => message.mime2DecodedSubject) };
}

async function send(server, task) {
  const identity = MailServices.accounts.createIdentity();
  identity.email = task.address;
  identity.smtpServerKey = server.key;
  identity.doFcc = false;
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
  fields.from = task.address;
  fields.to = task.recipient;
  fields.subject = task.subject;
  const file = PathUtils.join(task.home, "letter.eml");
  await IOUtils.writeUTF8(file, task.letter.replaceAll("\n", "\r\n"));
  return new Promise((resolve) => {
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
      onStartSending() {}, onSendProgress() {}, onProgress() {}, onStatus() {}, onGetDraftFolderURI() {},
      onSendNotPerformed() {}, onTransportSecurityError() {},
      onStopSending: (id, status) => resolve({ status }),
    };
    Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend).sendMessageFile(
      identity, "", fields, new FileUtils.File(file), false, false, Ci.nsIMsgSend.nsMsgDeliverNow, null, listener,
      null, "");
  });
}

// What the account hub does for somebody who typed a name, an address and a password: finds the configuration, tries
// the sign-in, makes the account.
async function setUp(address, secret) {
  const folder = "resource:///modules/accountcreation/";
  const { FindConfig } = ChromeUtils.importESModule(folder + "FindConfig.sys.mjs");
  const { AccountConfig } = ChromeUtils.importESModule(folder + "AccountConfig.sys.mjs");
  const { ConfigVerifier } = ChromeUtils.importESModule(folder + "ConfigVerifier.sys.mjs");
  const { CreateInBackend } = ChromeUtils.importESModule(folder + "CreateInBackend.sys.mjs");
  const abort = new AbortController();
  const search = FindConfig.parallelAutoDiscovery(address.split("@")[1], address, abort.signal, secret);
  const { value: config, done } = await search.next();
  if (!done || !config) {
    throw new Error("no configuration found");
  }
  AccountConfig.replaceVariables(config, "Somebody", address, secret);
  const { msgWindow } = Services.wm.getMostRecentWindow("mail:3pane");
  const verified = await new ConfigVerifier(msgWindow, abort.signal).verifyConfig(config);
  const account = await CreateInBackend.createAccountInBackend(verified);
  const told = [config.incoming, ...config.incomingAlternatives, config.outgoing, ...config.outgoingAlternatives]
    .map((server) => [server.type, server.hostname, server.port, server.socketType, server.username].join(" "));
  return { account, told: [`source ${config.source} ${config.subSource}`, ...told] };
}

async function setUpAndUse(task) {
  const { account, told } = await setUp(task.address, task.secret);
  const { status, subjects } = await get(account.incomingServer);
  const server = MailServices.outgoingServer.getServerByKey(account.defaultIdentity.smtpServerKey);
  const sent = await send(server, task);
  return { status: status || sent.status, subjects: [...told, ...subjects] };
}
