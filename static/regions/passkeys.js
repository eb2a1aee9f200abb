/**
 * Passkeys: tells allauth's script which button starts what, and says so when nothing came of it.
 * A button names what it starts in data-passkey (login, authenticate, add), and the field for the answer.
 */
const { forms } = window.allauth.webauthn;
const failed = document.querySelector("[data-passkey-failed]");

for (const button of document.querySelectorAll("[data-passkey]")) {
  const { passkey, credential, passwordless } = button.dataset;
  forms[`${passkey}Form`]({ ids: { [passkey]: button.id, credential, passwordless, data: "js_data" } });
  button.addEventListener("click", () => (failed.hidden = true));
}
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  failed.hidden = false;
});
