// For teachers: a link to a lesson opens its answers, and on paper all are open.

const lessons = [...document.querySelectorAll(".teacher-lesson")];
let opened = [];

function openLinked() {
  const target = document.getElementById(location.hash.slice(1));
  const lesson = target?.closest("details");
  if (!lesson || lesson.open) return;
  lesson.open = true;
  target.scrollIntoView();
}

addEventListener("hashchange", openLinked);
addEventListener("beforeprint", () => {
  opened = lessons.filter(({ open }) => !open);
  for (const lesson of opened) lesson.open = true;
});
addEventListener("afterprint", () => {
  for (const lesson of opened) lesson.open = false;
});
openLinked();
