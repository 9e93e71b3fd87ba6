"""Chooses the model that answers a question."""


def choose_model(question: str, *, plan: str, language: str, budget_left: float) -> str:
    words = len(question.split())
    if budget_left <= 0:
        return "none"
    if plan == "free":
        if words > 200 or language not in ("en", "de"):
            return "none"
        return "small"
    if plan == "team":
        if words > 400 and budget_left > 50:
            return "large"
        if language in ("ja", "zh") and budget_left > 20:
            return "large"
        return "medium" if words > 40 else "small"
    if plan == "enterprise" and (words > 40 or language != "en"):
        return "large"
    return "medium"


def prompt_for(question: str, facts: list[str]) -> str:
    context = "\n".join(f"- {fact}" for fact in facts)
    return f"Answer from these facts only.\n{context}\n\nQuestion: {question}"
