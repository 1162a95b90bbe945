//! How deep a text is nested. A parser and an evaluator recurse that deep, so it is bounded before either begins.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Mode;
use ruff_python_parser::lexer::lex;

/// The deepest nesting that is read.
const MOST: usize = 200;

/// Whether a token may be one more level of an expression: `-`, `.`, `not`, a bracket after a value.
fn nests(token: TokenKind) -> bool {
    !matches!(
        token,
        TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::String
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::FStringMiddle
    )
}

/// The line, from 1, where the nesting is too deep; `None` if it is nowhere. It counts brackets and blocks that are open,
/// and the operators since the last comma in each.
pub(super) fn too_deep(source: &str) -> Option<usize> {
    let mut lexer = lex(source, Mode::Module);
    let mut line = 1;
    let mut blocks = 0usize;
    let mut operators = vec![0usize];
    loop {
        let token = lexer.next_token();
        match token {
            TokenKind::EndOfFile => return None,
            TokenKind::Newline | TokenKind::NonLogicalNewline => line += 1,
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            _ => {}
        }
        match token {
            TokenKind::Newline => operators = vec![0],
            TokenKind::Comma => {
                if let Some(last) = operators.last_mut() {
                    *last = 0;
                }
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                if let Some(last) = operators.last_mut() {
                    *last += 1;
                }
                operators.push(0);
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                operators.pop();
                if operators.is_empty() {
                    operators.push(0);
                }
            }
            token if nests(token) => {
                if let Some(last) = operators.last_mut() {
                    *last += 1;
                }
            }
            _ => {}
        }
        if operators.iter().sum::<usize>() + blocks > MOST {
            return Some(line);
        }
    }
}
